"""An embedded model server that speaks TF Serving's gRPC protocol.

Start one with `tfrec.serving.server.main.serve(...)`, `tfrec serve` or
`python -m tfrec.serving.server`; inside a program use `tfrec.serving.server.server.ModelServer`.
"""
