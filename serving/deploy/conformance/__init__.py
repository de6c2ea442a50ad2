"""Sends one set of requests to two model servers and compares their answers.

`python -m tfrec.serving.deploy.conformance`.

One is usually tensorflow_model_server and the other the embedded server, both on the same export. That needs no more
than the client does. The export's folder may stand in for the first server; then TensorFlow loads it here.
"""
