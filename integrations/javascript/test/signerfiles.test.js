import test from 'node:test';
import assert from 'node:assert/strict';
import { answerCase } from '../src/operations.js';
import { makeChain, makeKey } from './build.js';

const pem = (label, octets) => `-----BEGIN ${label}-----\n${octets.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;
const { signer, intermediate, root } = makeChain();
const files = (...chain) => chain.map(({ der }) => pem('CERTIFICATE', der)).join('');
const privateKey = (key, options) => key.privateKey.export({ type: 'pkcs8', format: 'pem', ...options });

test('the files of a signer, and the first reason in the list', async () => {
  const certificate = files(signer, intermediate);
  const key = privateKey(signer.key);
  const notKey = pem('PRIVATE KEY', Buffer.from('no key'));
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n';
  const cases = [
    ['verified', { certificate, key }],
    ['verified', { certificate: `about it\n${certificate.replaceAll('\n', '\r\n')}`, key }],
    ['bad-file', { key }],
    ['bad-pem', { certificate: certificate + broken, key }],
    ['bad-pem', { certificate: certificate.replace('MI', 'M!'), key }],
    ['bad-pem', { certificate: certificate.repeat(3), key }],
    ['bad-pem', { certificate, key: notKey, mode: '0644' }],
    ['key-encrypted', { certificate, key: privateKey(signer.key, { cipher: 'aes-256-cbc', passphrase: 'x' }), mode: '0644' }],
    ['key-encrypted', { certificate, key: signer.key.privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) }],
    ['key-readable', { certificate, key: privateKey(makeKey()), mode: '0644' }],
    ['key-mismatch', { certificate: certificate + pem('CERTIFICATE', Buffer.from('x')), key: privateKey(makeKey()) }],
    ['malformed-certificate', { certificate: certificate + pem('CERTIFICATE', Buffer.from('x')), key }],
    ['chain-not-linear', { certificate: files(signer, root), key }],
  ];
  for (const [i, [reason, one]] of cases.entries()) {
    const answer = await answerCase({ operation: 'signer-files', mode: '0600', ...one });
    assert.equal(answer.reason, reason, `case ${i} ${answer.skipped}`);
  }
});
