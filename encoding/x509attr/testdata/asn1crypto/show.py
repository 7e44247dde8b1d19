"""Shows an attribute certificate, or the one in a CMS message, with asn1crypto.

Usage: show.py ac FILE | show.py bag FILE

Prints the same name=value lines as ../bc/AttrCert.java, except for what
needs a signature to be checked.
"""

import sys

from asn1crypto import cms


def show(ac):
    info = ac["ac_info"]
    print("serial=%d" % info["serial_number"].native)
    period = info["att_cert_validity_period"]
    print("notBefore=%d" % period["not_before_time"].native.timestamp())
    print("notAfter=%d" % period["not_after_time"].native.timestamp())
    holder = info["holder"]
    if holder["entity_name"].native is not None:
        for name in holder["entity_name"]:
            print("holder=" + name.dump().hex())
    if holder["base_certificate_id"].native is not None:
        print("holder-serial=%d" % holder["base_certificate_id"]["serial"].native)
    for attribute in info["attributes"]:
        values = [value.dump().hex() for value in attribute["values"]]
        print(":".join(["attribute=" + attribute["type"].dotted] + values))
    if info["extensions"].native is not None:
        for extension in info["extensions"]:
            print("extension=" + extension["extn_id"].dotted)
            if extension["critical"].native:
                print("critical=" + extension["extn_id"].dotted)


def main():
    kind, path = sys.argv[1:]
    with open(path, "rb") as f:
        der = f.read()
    if kind == "ac":
        show(cms.AttributeCertificateV2.load(der, strict=True))
        return
    message = cms.ContentInfo.load(der, strict=True)
    signed = message["content"]
    print("version=%d" % int(signed["version"]))
    print("signers=%d" % len(signed["signer_infos"]))
    choices = list(signed["certificates"])
    print("certificates=%d" % sum(c.name == "certificate" for c in choices))
    for choice in choices:
        if choice.name == "v2_attr_cert":
            show(choice.chosen)


main()
