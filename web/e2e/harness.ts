// A real server with real plugin processes, and a browser that looks at it.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before } from 'node:test'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

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

/** Starts a server for the tests of a file: plugboard with these arguments. */
export function useServer(args: string[], env: Record<string, string> = {}): Server {
  const data = mkdtempSync(path.join(tmpdir(), 'plugboard-e2e-'))
  const server: Server = {
    url: '',
    async start() {
      const listen = server.url ? new URL(server.url).host : '127.0.0.1:0'
      server.process = spawn(path.join(root, 'bin/plugboard'), [...args, '--listen', listen, '--data', data], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      server.url = await addressOf(server.process)
    },
    async stop() {
      const ended = new Promise((done) => server.process!.once('exit', done))
      server.process!.kill('SIGTERM')
      await ended
    },
  }
  before(server.start)
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
}

/** Opens a page, does something there, and fails if the browser's console had an error. */
export async function visit(url: string, what: (page: Page) => Promise<void>, { allowed, ...options }: Options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...options })
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

/** Keeps a picture of a page in both themes and for a phone, and has axe look at each. */
export async function look(page: Page, name: string) {
  for (const [kind, theme, width, height] of [['light', 'light', 1440, 900], ['dark', 'dark', 1440, 900], ['phone', 'light', 400, 860]] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height })
    await page.waitForTimeout(200) // graphs are drawn anew after the size has changed
    await page.screenshot({ path: picture(`${name}-${kind}`) })
    await accessible(page, `${name} (${kind})`)
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wider <= 0, `${name} (${kind}) is ${wider} pixels wider than the window`)
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.setViewportSize({ width: 1440, height: 900 })
}

async function accessible(page: Page, where: string) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run())
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.html.slice(0, 200)}\n  ${n.failureSummary}`).join('\n')}`), [], `axe, on ${where}`)
}
