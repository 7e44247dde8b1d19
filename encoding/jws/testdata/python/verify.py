"""Reads a JSON array of compact tokens from standard input, verifies each with
the key of the first certificate in its x5c, and writes a JSON array of
{header, payload (base64)} or {error}."""
import base64
import json
import sys

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS


def verify(token):
    try:
        jws = JWS()
        jws.deserialize(token)
        header = jws.jose_header
        pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % header["x5c"][0]
        jws.allowed_algs = [header["alg"]]
        jws.verify(JWK.from_pem(pem.encode()))
        return {"header": header, "payload": base64.b64encode(jws.payload).decode()}
    except Exception as error:  # whatever it is, the token is not accepted
        return {"error": repr(error)}


json.dump([verify(token) for token in json.load(sys.stdin)], sys.stdout)
