// A real server with real plugin processes, and a browser that looks at it.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before } from 'node:test'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'

const root = path.resolve('..')
const screenshots = path.resolve('screenshots')
const axe = readFileSync(createRequire(path.join(process.cwd(), 'package.json')).resolve('axe-core/axe.min.js'), 'utf8')

export interface Server {
  url: string
  process?: ChildProcess
  /** Starts it, where it was if it was started before. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts a server for the tests of a file: plugboard with these arguments, and what it is filled with. */
export function useServer(args: string[], env: Record<string, string> = {}, fill: (server: Server) => Promise<void> = async () => {}): Server {
  const data = mkdtempSync(path.join(tmpdir(), 'plugboard-e2e-'))
  const server: Server = {
    url: '',
    async start() {
      const listen = server.url ? new URL(server.url).host : '127.0.0.1:0'
      server.process = spawn(path.join(root, 'bin/plugboard'), [...args, '--listen', listen, '--data', data], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      server.url = await addressOf(server.process)
    },
    async stop() {
      // A test that failed may have left it stopped.
      if (server.process!.exitCode !== null || server.process!.signalCode !== null) return
      const ended = new Promise((done) => server.process!.once('exit', done))
      server.process!.kill('SIGTERM')
      await ended
    },
  }
  before(async () => {
    await server.start()
    await fill(server)
  })
  after(async () => {
    await server.stop()
    rmSync(data, { recursive: true, force: true })
  })
  return server
}

/** The address that a server prints, on whichever stream. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    const said: string[] = []
    for (const stream of [server.stdout!, server.stderr!]) {
      createInterface(stream).on('line', (line) => {
        said.push(line)
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)
        if (address) found(address[0])
      })
    }
    server.once('exit', () => failed(new Error(`the server ended:\n${said.join('\n')}`)))
  })
}

interface PluginState {
  id: string
  process: { pid: number; state: string }
}

const basic = { Authorization: `Basic ${btoa('admin:right horse')}` }

/** What the server tells of a plugin. */
export async function plugin(server: Server, id: string): Promise<PluginState> {
  const all = (await (await fetch(`${server.url}/api/plugins`, { headers: basic })).json()) as PluginState[]
  return all.find((p) => p.id === id)!
}

/** What a resource of a data source answers. */
export const resource = async (server: Server, uid: string, path: string) =>
  (await fetch(`${server.url}/api/datasources/uid/${uid}/resources/${path}`, { headers: basic })).text()

/** Waits for something to be so, as long as a person would at most. */
export async function until(so: () => Promise<boolean>) {
  for (const end = Date.now() + 30_000; !(await so()); await new Promise((later) => setTimeout(later, 50))) assert.ok(Date.now() < end, `waited in vain: ${so}`)
}

/** Adds a data source, as a script does. */
export async function add(server: Server, source: object) {
  const response = await fetch(`${server.url}/api/datasources`, { method: 'POST', headers: { ...basic, 'Content-Type': 'application/json' }, body: JSON.stringify({ access: 'proxy', jsonData: {}, ...source }) })
  assert.equal(response.status, 200, await response.text())
}

let browser: Browser

/** Starts the browser for the tests of a file. */
export function useBrowser() {
  before(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    })
  })
  after(async () => {
    await browser.close()
  })
}

interface Options extends BrowserContextOptions {
  /** What the console of the browser may say: failed requests that the test is about. */
  allowed?: RegExp
  /** What is done before the page is opened. */
  before?: (context: BrowserContext) => Promise<unknown>
}

/** Signs in as a person does. */
export async function signIn(page: Page) {
  await trySignIn(page, 'right horse')
  await page.getByRole('dialog', { name: 'Sign in' }).waitFor({ state: 'detached' })
}

/** Tries to sign in, and waits for nothing. */
export async function trySignIn(page: Page, password: string) {
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Does something on a page of a server where somebody has to sign in, and has. */
export const signedIn = (server: Server, path: string, what: (page: Page) => Promise<void>, options: Options = {}) =>
  visit(server.url + path, what, { ...options, before: (context) => context.request.post(`${server.url}/login`, { data: { user: 'admin', password: 'right horse' } }) })

/** Opens a page, does something there, and fails if the browser's console had an error. */
export async function visit(url: string, what: (page: Page) => Promise<void>, { allowed, before, ...options }: Options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...options })
  await before?.(context)
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const errors: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
  try {
    await page.goto(url)
    await what(page)
    assert.deepEqual(errors.filter((e) => !allowed?.test(e)), [], 'errors in the console of the browser')
  } catch (error) {
    await page.screenshot({ path: picture('failed') }).catch(() => {})
    throw error
  } finally {
    await context.close()
  }
}

function picture(name: string): string {
  mkdirSync(screenshots, { recursive: true })
  return path.join(screenshots, `${name}.png`)
}

/** Keeps a picture of a page in both themes and for a phone, where it has to fit; axe looks at both themes. */
export async function look(page: Page, name: string, kinds = ['light', 'dark', 'phone']) {
  const size = page.viewportSize()!
  for (const [kind, theme, width, height] of ([['light', 'light', 1440, 900], ['dark', 'dark', 1440, 900], ['phone', 'light', 400, 860]] as const).filter(([kind]) => kinds.includes(kind))) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height })
    await page.waitForTimeout(200) // graphs are drawn anew after the size has changed
    await page.screenshot({ path: picture(`${name}-${kind}`) })
    if (kind !== 'phone' || kinds.length === 1) await accessible(page, `${name} (${kind})`)
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wider <= 0, `${name} (${kind}) is ${wider} pixels wider than the window`)
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.setViewportSize(size)
}

async function accessible(page: Page, where: string) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => (window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run({ resultTypes: ['violations'] }))
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.html.slice(0, 200)}\n  ${n.failureSummary}`).join('\n')}`), [], `axe, on ${where}`)
}
