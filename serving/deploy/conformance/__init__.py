"""Sends one set of requests to two model servers and compares their answers: `python -m serving.deploy.conformance`.

One is usually tensorflow_model_server and the other the embedded server, both on the same export. It needs no more than
the client does.
"""
