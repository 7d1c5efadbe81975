// The life of a plugin, as somebody sees and steers it who runs a server.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { look, useBrowser, useServer, visit } from './harness.ts'
import { zip } from './zip.ts'

const root = path.resolve('..')
const id = 'plugboard-foreign-datasource'
const scratch = mkdtempSync(path.join(tmpdir(), 'plugboard-e2e-plugins-'))
const folder = path.join(scratch, 'plugins/foreign')

/** Puts a version of the plugin into a folder. */
function version(into: string, version: string, change = (manifest: string) => manifest) {
  cpSync(path.join(root, 'bin/demo/foreign'), into, { recursive: true })
  const manifest = readFileSync(path.join(root, 'bin/demo/foreign/plugin.json'), 'utf8').replace('"1.0.0"', `"${version}"`)
  writeFileSync(path.join(into, 'plugin.json'), change(manifest))
  return into
}

function plugboard(...args: string[]) {
  const { status, stderr } = spawnSync(path.join(root, 'bin/plugboard'), args, { cwd: scratch, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}

/** A zip file of a version, signed or not. */
function release(name: string, signed = true) {
  const dir = version(path.join(scratch, `release-${name}-${signed}`), name)
  if (signed) plugboard('plugin', 'sign', dir, '--key', 'team.key')
  return { name: `sun-${name}.zip`, mimeType: 'application/zip', buffer: zip(dir) }
}

version(folder, '1.0.0')
version(path.join(scratch, 'plugins/stray'), '1.0.0', (manifest) => manifest.replace(id, 'acme-stray-datasource'))
plugboard('plugin', 'keygen', 'team')
writeFileSync(path.join(scratch, 'plugboard.yaml'), `
trust: [{name: The team, key-file: ${scratch}/team.pub, plugins: ['*']}]
`)
const server = useServer(['serve', '--config', path.join(scratch, 'plugboard.yaml'), '--plugins', path.join(scratch, 'plugins'), '--allow-unsigned', id], { PLUGBOARD_ADMIN_PASSWORD: 'right horse' })
useBrowser()

// A browser says so in its console when a server refuses.
const allowed = /status of (400|401|409|503)/

async function signIn(page: Page) {
  await page.getByLabel('Password').fill('right horse')
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const ask = (what: string, init: RequestInit = {}) =>
  fetch(server.url + what, { ...init, headers: { Authorization: `Basic ${btoa('admin:right horse')}`, 'Content-Type': 'application/json' } })

interface Process {
  state: string
  pid: number
  restarts: number
}

const processOf = async (): Promise<Process> => (await (await ask(`/api/plugins/${id}/settings`)).json()).process

async function until(what: string, done: () => Promise<boolean>) {
  for (const deadline = Date.now() + 60_000; !(await done()); await new Promise((again) => setTimeout(again, 50))) assert.ok(Date.now() < deadline, `not after a minute: ${what}`)
}

/** Kills the process until the plugin is in quarantine. */
async function crash() {
  await until('quarantine', async () => {
    const { state, pid } = await processOf()
    if (state === 'ready') process.kill(pid, 'SIGKILL')
    return state === 'quarantined'
  })
}

test('what a plugin has used before its page was opened is there', async () => {
  await ask('/api/datasources', { method: 'POST', body: JSON.stringify({ uid: 'sun', name: 'The sun', type: id, access: 'proxy' }) })
  await until('points of the history', async () => {
    await ask('/api/datasources/uid/sun/health')
    return (await (await ask(`/api/plugins/${id}/history`)).json()).data.values[0].length > 1
  })
  await visit(`${server.url}/plugins/${id}`, async (page) => {
    await signIn(page)
    const usage = page.getByRole('region', { name: 'Usage' })
    for (const line of ['cpu', 'memory', 'requests']) await usage.getByRole('img', { name: `Graph of ${line}` }).waitFor()
    await usage.getByRole('button', { name: /memory.*MiB/ }).waitFor()
    await usage.getByRole('button', { name: 'Day' }).click()
    await usage.getByText('after five minutes').waitFor()
    await page.getByText('what the plugin itself counts').click()
    await page.getByLabel('Filter the metrics').fill('resident')
    await page.getByRole('row', { name: /process_resident_memory_bytes .* MiB/ }).waitFor()
    await page.getByLabel('Filter the metrics').fill('plugin')
    await page.getByRole('row', { name: /grafana_plugin_request_total .*checkHealth/ }).waitFor()
    await look(page, 'plugin-metrics')
  }, { allowed })
})

test('a plugin is upgraded, rolled back and reloaded on its page', () =>
  visit(`${server.url}/plugins/${id}`, async (page) => {
    await signIn(page)
    const versions = page.getByRole('region', { name: 'Versions' })
    await versions.getByText('in a plugin folder').waitFor()
    await versions.getByRole('button', { name: 'Upgrade…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Zip file').setInputFiles(release('2.0.0', false))
    await dialog.getByRole('button', { name: 'Upgrade' }).click()
    await dialog.getByRole('alert').getByText('it has no signature').waitFor()
    await look(page, 'plugin-upgrade')
    await dialog.getByLabel('Zip file').setInputFiles(release('2.0.0'))
    await dialog.getByRole('button', { name: 'Upgrade' }).click()
    await versions.getByText('2.0.0 runs, after').waitFor()

    await versions.getByRole('button', { name: 'Roll back to 1.0.0' }).click()
    await versions.getByText('1.0.0 runs, after').waitFor()
    await versions.getByRole('button', { name: 'Return to 2.0.0' }).waitFor()
    await look(page, 'plugin-versions')

    await versions.getByRole('button', { name: 'Return to 2.0.0' }).click()
    await versions.getByText('2.0.0 runs, after').waitFor()
    process.kill((await processOf()).pid, 'SIGKILL')
    await versions.getByText('the server has gone back to 1.0.0').waitFor()
    await look(page, 'plugin-gone-back')

    version(folder, '1.0.1')
    await page.reload()
    await versions.getByRole('button', { name: 'Switch to 1.0.1' }).click()
    await versions.getByText('1.0.1 runs, after').waitFor()
    version(folder, '1.0.2', (manifest) => manifest.replace('"backend": true', '"backend": '))
    await versions.getByRole('button', { name: 'Reload' }).click()
    await versions.getByRole('alert').getByText('no valid plugin.json').waitFor()
    await versions.getByText('it stays with 1.0.1').waitFor()
    version(folder, '1.0.1')
  }, { allowed }))

test('a version that is not there any more is not offered', () =>
  visit(`${server.url}/plugins/${id}`, async (page) => {
    await signIn(page)
    const versions = page.getByRole('region', { name: 'Versions' })
    version(folder, '1.0.2', () => '{')
    await page.reload()
    await versions.getByText('It would not run: ').waitFor()
    version(folder, '1.0.1')
    await page.reload()
    await versions.getByRole('button', { name: 'Reload' }).click()
    await versions.getByText('1.0.1 runs, after').waitFor()
    // While its folder is written anew, it may have no logo to give.
  }, { allowed: new RegExp(`${allowed.source}|logo\\.svg`) }))

test('a plugin that goes on crashing is in quarantine, and released at home', () =>
  visit(`${server.url}/home`, async (page) => {
    await signIn(page)
    const attention = page.getByRole('region', { name: 'Needs attention' })
    await attention.getByText('acme-stray-datasource').waitFor()
    await crash()
    await attention.getByText('It has crashed too often').waitFor()
    await look(page, 'home-attention')
    await attention.getByRole('link', { name: 'Sun' }).click()
    const history = page.getByRole('region', { name: 'History' })
    await history.getByText(/3 crashes within/).waitFor()
    await history.getByText('Last words').first().click()
    const words = await history.locator('pre').first().innerText()
    assert.ok(words && !words.includes('@message'), `last words: ${words}`)
    await look(page, 'plugin-quarantined')
    await page.goto(`${server.url}/home`)
    await attention.getByRole('button', { name: 'Release from quarantine' }).click()
    await attention.getByText('It has crashed too often').waitFor({ state: 'hidden' })
    await until('it runs', async () => (await processOf()).state === 'ready')
    await page.getByText('5 of 5').waitFor()
  }, { allowed }))

test('home says what is not loaded, and which data source is ill', () =>
  visit(`${server.url}/home`, async (page) => {
    await signIn(page)
    const attention = page.getByRole('region', { name: 'Needs attention' })
    await attention.getByText('acme-stray-datasource').waitFor()
    await attention.getByText('it has no signature').waitFor()
    await ask('/api/datasources', { method: 'POST', body: JSON.stringify({ uid: 'shop', name: 'The shop', type: 'sql', access: 'proxy' }) })
    await page.reload()
    await attention.getByText('path is missing').waitFor()
    await page.getByRole('link', { name: /^2 need attention/ }).waitFor()
    // What is found later moves nothing that is there.
    const moved = await page.evaluate(() => new Promise<number>((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, e) => sum + (e as PerformanceEntry & { value: number }).value, 0))).observe({ type: 'layout-shift', buffered: true })
      setTimeout(() => resolve(0), 200)
    }))
    assert.ok(moved < 0.02, `home jumps by ${moved}`)
    await look(page, 'home-ill')
    await ask('/api/datasources/uid/shop', { method: 'PUT', body: JSON.stringify({ name: 'The shop', type: 'sql', access: 'proxy', jsonData: { path: path.join(scratch, 'shop.db') } }) })
    writeFileSync(path.join(scratch, 'shop.db'), '')
    await attention.getByRole('button', { name: 'Check again' }).click()
    await attention.getByText('path is missing').waitFor({ state: 'hidden' })
  }, { allowed }))

test('home counts what runs at the moment', async () => {
  await ask('/api/datasources', { method: 'POST', body: JSON.stringify({ uid: 'vitals', name: 'Vitals', type: 'testdata', access: 'proxy', url: `${server.url}/metrics` }) })
  const ended = new AbortController()
  const stream = await ask('/api/live/sse?channel=ds/vitals/vitals', { signal: ended.signal })
  const read = stream.text().catch(() => '') // or it would be collected as garbage
  await visit(`${server.url}/home`, async (page) => {
    await signIn(page)
    await page.getByText('0 calls, 1 stream', { exact: false }).waitFor()
    ended.abort()
    await page.getByText('0 calls, 0 streams', { exact: false }).waitFor()
    await read
  }, { allowed })
})
