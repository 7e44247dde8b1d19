// Reads a JSON array of compact tokens from standard input, verifies each with
// the key of the first certificate in its x5c, and writes a JSON array of
// {header, payload (base64)} or {error}.
import { compactVerify, decodeProtectedHeader, importX509 } from 'jose'
import { readFileSync } from 'node:fs'

async function verify (token) {
  try {
    const { alg, x5c } = decodeProtectedHeader(token)
    const pem = `-----BEGIN CERTIFICATE-----\n${x5c[0]}\n-----END CERTIFICATE-----`
    const key = await importX509(pem, alg)
    const { protectedHeader, payload } = await compactVerify(token, key, { algorithms: [alg] })
    return { header: protectedHeader, payload: Buffer.from(payload).toString('base64') }
  } catch (error) {
    return { error: String(error) }
  }
}

const tokens = JSON.parse(readFileSync(0, 'utf8'))
console.log(JSON.stringify(await Promise.all(tokens.map(verify))))
