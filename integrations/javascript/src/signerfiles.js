// The two files that a signer is given: the reasons in the order of the list in docs/reasons.md, section 1.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { fromBase64 } from './base64.js';
import { checkLinear, readAll } from './signer.js';
import { Refusal, answer } from './reasons.js';

const need = (condition, reason, what) => {
  if (!condition) throw new Refusal(reason, what);
};

export function signerFiles({ certificate, key, mode }) {
  need(typeof certificate === 'string', 'bad-file', 'no certificate');
  need(typeof key === 'string', 'bad-file', 'no key');

  const certificates = pemBlocks(certificate).filter(({ label }) => label === 'CERTIFICATE');
  need(certificates.length >= 1 && certificates.length <= 5, 'bad-pem', 'no certificate, or more than 5');
  const keyBlock = pemBlocks(key).find(({ label }) => label.endsWith('PRIVATE KEY'));
  need(keyBlock, 'bad-pem', 'no key');
  need(!keyBlock.label.startsWith('ENCRYPTED') && !keyBlock.isEncrypted, 'key-encrypted');
  const privateKey = readKey(keyBlock.text);
  need((parseInt(mode, 8) & 0o004) === 0, 'key-readable');

  // The key is that of the first certificate; then all are read, W2 and W1.
  const [signer] = readAll([certificates[0].octets]);
  need(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).equals(signer.spki), 'key-mismatch');
  checkLinear(readAll(certificates.map(({ octets }) => octets)));
  return answer('verified');
}

function readKey(text) {
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new Refusal('bad-pem', error.message);
  }
}

// RFC 7468, and the headers of RFC 1421 that old encrypted keys have. A block that has no end, or holds no base64, is broken.
function pemBlocks(text) {
  const blocks = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----\r?\n((?:[\w-]+: .*\r?\n)*)([^:]*?)^-----END \1-----/gm)];
  need(blocks.length === (text.match(/^-----BEGIN /gm) ?? []).length, 'bad-pem', 'a broken block');
  return blocks.map(([all, label, headers, inner]) => {
    const octets = fromBase64(inner.replace(/\s/g, ''));
    need(octets?.length > 0, 'bad-pem', 'a block without base64');
    return { label, text: `${all}\n`, octets, isEncrypted: /^Proc-Type:.*ENCRYPTED/m.test(headers) };
  });
}
