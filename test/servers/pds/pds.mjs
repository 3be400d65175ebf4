// Starts a real Bluesky PDS, and the PLC directory it registers accounts with, on 127.0.0.1. When both
// answer and an account exists, prints one line of JSON: url, plc, handle, password, did. Ends on
// SIGTERM or SIGINT.
//
//   node pds.mjs [--port N] [--dir DIR]     a free port and a new temporary folder unless given
//
// Nothing it does leaves the machine: no crawlers, no AppView, no mail.
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { cidForCbor } from '@atproto/common'
import { PDS, envToCfg, envToSecrets } from '@atproto/pds'
import plc from '@did-plc/lib'

const loopback = '127.0.0.1'
const { values: flags } = parseArgs({ options: { port: { type: 'string' }, dir: { type: 'string' } } })

const listen = (server, port) =>
  new Promise((resolve, reject) => server.once('error', reject).listen(port, loopback, () => resolve(server.address().port)))

// A PLC directory that forgets: the operations are checked by the reference library (DID, chain of
// CIDs, signatures), only their store is a map. https://web.plc.directory/spec/v0.1/did-plc
function plcDirectory() {
  const logs = new Map() // DID -> the operations on it, as assureValidNextOp wants them

  async function answer(req) {
    const [did, ...rest] = decodeURIComponent(new URL(req.url, 'http://plc').pathname.slice(1)).split('/')
    if (did === '_health') return { version: 'test' }
    if (!did.startsWith('did:plc:')) return null
    const log = logs.get(did) ?? []
    if (req.method === 'POST') {
      const chunks = []
      for await (const chunk of req) chunks.push(chunk)
      const operation = JSON.parse(Buffer.concat(chunks).toString())
      await plc.assureValidNextOp(did, log, operation)
      log.push({ did, operation, cid: await cidForCbor(operation), nullified: false, createdAt: new Date() })
      logs.set(did, log)
      return {}
    }
    if (log.length === 0) return null
    const last = log.at(-1).operation
    switch (rest.join('/')) {
      case '': return plc.formatDidDoc(plc.opToData(did, last))
      case 'data': return plc.opToData(did, last)
      case 'log': return log.map((entry) => entry.operation)
      case 'log/last': return last
      default: return null
    }
  }

  return http.createServer(async (req, res) => {
    let [status, body] = [200, null]
    try {
      body = await answer(req)
      if (body === null) [status, body] = [404, { message: 'not found' }]
    } catch (err) {
      ;[status, body] = [400, { message: String(err?.message ?? err) }]
    }
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}

// The PDS has to know its own address before it listens, so a port 0 would not do.
async function freePort() {
  const probe = http.createServer()
  const port = await listen(probe, 0)
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function startPDS({ port, dir, plcUrl }) {
  const secret = () => randomBytes(32).toString('hex')
  const blobs = path.join(dir, 'blobs')
  fs.mkdirSync(blobs, { recursive: true })
  const env = {
    devMode: true, // http instead of https
    hostname: 'localhost',
    port,
    dataDirectory: dir,
    blobstoreDiskLocation: blobs,
    didPlcUrl: plcUrl,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    rateLimitsEnabled: false,
    crawlers: [],
    disableSsrfProtection: true, // the PLC directory is on a loopback address
    adminPassword: secret(),
    jwtSecret: secret(),
    dpopSecret: secret(),
    plcRotationKeyK256PrivateKeyHex: secret(),
  }
  const pds = await PDS.create(envToCfg(env), envToSecrets(env))
  // It has no setting for the address it binds: on its own it would serve the whole network.
  const bind = pds.app.listen.bind(pds.app)
  pds.app.listen = (p) => bind(p, loopback)
  const server = await pds.start()
  if (server.address().address !== loopback) throw new Error(`the PDS listens on ${server.address().address}`)
  return pds
}

async function createAccount(url, account) {
  const res = await fetch(`${url}/xrpc/com.atproto.server.createAccount`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  })
  const body = await res.json()
  if (!res.ok) throw new Error(`createAccount: ${JSON.stringify(body)}`)
  return body.did
}

const directory = plcDirectory()
const plcUrl = `http://${loopback}:${await listen(directory, 0)}`
const port = Number(flags.port ?? 0) || (await freePort())
const dir = flags.dir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'pds-'))
const pds = await startPDS({ port, dir, plcUrl })

const url = `http://${loopback}:${port}`
const account = { handle: 'alice.test', email: 'alice@example.com', password: randomBytes(16).toString('hex') }
const did = await createAccount(url, account)

const stop = async () => {
  await pds.destroy().catch(console.error)
  process.exit(0)
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
console.log(JSON.stringify({ url, plc: plcUrl, handle: account.handle, password: account.password, did }))
