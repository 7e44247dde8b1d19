// Reads a JSON array of {header, key (PKCS #8 PEM), payload (base64)} from
// standard input and writes a JSON array of compact tokens.
import { CompactSign, importPKCS8 } from 'jose'
import { readFileSync } from 'node:fs'

async function sign ({ header, key, payload }) {
  const privateKey = await importPKCS8(key, header.alg)
  return new CompactSign(Buffer.from(payload, 'base64')).setProtectedHeader(header).sign(privateKey)
}

const requests = JSON.parse(readFileSync(0, 'utf8'))
console.log(JSON.stringify(await Promise.all(requests.map(sign))))
