"""Reads a JSON array of {header, key (PKCS #8 PEM), payload (base64)} from
standard input and writes a JSON array of compact tokens."""
import base64
import json
import sys

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS


def sign(request):
    jws = JWS(base64.b64decode(request["payload"]))
    jws.add_signature(JWK.from_pem(request["key"].encode()), protected=json.dumps(request["header"]))
    return jws.serialize(compact=True)


json.dump([sign(request) for request in json.load(sys.stdin)], sys.stdout)
