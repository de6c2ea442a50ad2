"""An embedded model server that speaks TF Serving's gRPC protocol.

Start one with `serving.server.main.serve(...)`, `tfrec serve` or `python -m serving.server`; inside a program use
`serving.server.server.ModelServer`.
"""
