// Queries in languages that plugins say, forms in groups, and what is taken elsewhere from a server with users.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { look, useBrowser, useServer, visit } from './harness.ts'

// A Prometheus that knows as much as the tests ask.
const prometheus = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url!, 'http://p')
  const data = answers[pathname.replace('/api/v1/', '')]?.(searchParams)
  response.writeHead(data === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ status: data === undefined ? 'error' : 'success', data }))
})
const answers: Record<string, (asked: URLSearchParams) => unknown> = {
  'label/__name__/values': () => ['http_requests_total', 'up'],
  metadata: () => ({ http_requests_total: [{ type: 'counter', help: 'Requests that were answered.' }] }),
  labels: (asked) => (asked.get('match[]') === '{__name__="http_requests_total"}' ? ['__name__', 'handler', 'job'] : ['job']),
  'label/handler/values': () => ['/api', '/metrics'],
  query_range: () => ({
    resultType: 'matrix',
    result: ['/api', '/metrics'].map((handler, i) => ({ metric: { handler }, values: Array.from({ length: 60 }, (_, n) => [Math.floor(Date.now() / 1000) - 3600 + n * 60, String(n * (i + 1) * 1000)]) })),
  }),
}
const provisioning = mkdtempSync(path.join(tmpdir(), 'plugboard-e2e-languages-'))
before(async () => {
  await new Promise<void>((listening) => prometheus.listen(0, '127.0.0.1', listening))
  const { port } = prometheus.address() as { port: number }
  writeFileSync(path.join(provisioning, 'sources.yaml'), `apiVersion: 1
datasources:
  - {name: Metrics, uid: metrics, type: prometheus, access: proxy, url: 'http://127.0.0.1:${port}', jsonData: {httpMethod: GET}}
  - {name: Made, uid: made, type: testdata, access: proxy}
`)
})
after(() => prometheus.close())

const server = useServer(['serve', '--provisioning', provisioning], { PLUGBOARD_ADMIN_PASSWORD: 'pw' })
useBrowser()

const explore = (...panes: unknown[]) => `/explore?panes=${encodeURIComponent(JSON.stringify(panes))}`
const ask = (uid: string, model: object) => ({ range: { from: 'now-1h', to: 'now' }, queries: [{ refId: 'A', datasource: { uid }, ...model }] })

/** Opens a page as a user who has signed in. */
const signedIn = (at: string, what: (page: Page) => Promise<void>, allowed?: RegExp) =>
  visit('about:blank', async (page) => {
    await page.request.post(`${server.url}/login`, { data: { user: 'admin', password: 'pw' } })
    await page.goto(server.url + at)
    await what(page)
  }, { allowed })

test('PromQL is completed: functions, metrics, labels and their values', () =>
  signedIn(explore(ask('metrics', {})), async (page) => {
    const editor = page.getByRole('textbox', { name: 'Query A' })
    const choose = async (typed: string, option: RegExp) => {
      await page.keyboard.type(typed)
      await page.getByRole('option', { name: option }).click()
    }
    await editor.click()
    await choose('sum by (jo', /^job$/)
    await page.keyboard.press('End')
    await choose(' (rat', /^rate/)
    await choose('http', /http_requests_total.*counter · Requests/)
    await page.keyboard.type('{')
    await page.getByRole('option', { name: 'handler' }).waitFor()
    await look(page, 'explore-promql')
    await choose('han', /^handler$/)
    await choose('="', /^\/api$/)
    await page.keyboard.press('End')
    assert.equal(await editor.textContent(), 'sum by (job) (rate(http_requests_total{handler="/api"}))')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('img', { name: /Graph of/ }).waitFor()
    await page.getByRole('button', { name: 'Table', exact: true }).click()
    await page.getByRole('columnheader', { name: 'handler' }).waitFor()
  }))

test('queries are duplicated, hidden, moved and removed', () =>
  signedIn(explore(ask('made', { scenarioId: 'random_walk' })), async (page) => {
    await page.getByRole('button', { name: 'Duplicate query A' }).click()
    const b = page.getByRole('group', { name: 'Query B' })
    await b.getByLabel('Scenario').fill('states')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('img', { name: /States of/ }).first().waitFor()
    await page.getByRole('button', { name: 'Move query B up' }).click()
    await page.waitForURL((url) => /"B".*"A"/.test(url.searchParams.get('panes')!))
    await page.getByRole('button', { name: 'Hide query B' }).click()
    await page.getByRole('img', { name: /States of/ }).first().waitFor({ state: 'detached' })
    await page.reload()
    await page.getByRole('button', { name: 'Show query B' }).waitFor()
    await page.getByRole('button', { name: 'Remove query B' }).click()
    await b.waitFor({ state: 'detached' })
    await page.getByRole('img', { name: 'Graph of value' }).waitFor()
  }))

test('times are shown in UTC if wanted, and are read in it', () =>
  visit('about:blank', async (page) => {
    await page.request.post(`${server.url}/login`, { data: { user: 'admin', password: 'pw' } })
    await page.goto(server.url + explore({ ...ask('made', { scenarioId: 'table', rows: 3, columns: 2 }), range: { from: '1769846400000', to: '1769850000000' }, view: 'table' }))
    await page.getByText('2026-01-31 03:00:00').waitFor()
    await page.getByRole('button', { name: '2026-01-31 03:00 to 2026-01-31 04:00' }).click()
    await page.getByLabel('Times in').selectOption('utc')
    assert.equal(await page.getByLabel('From').inputValue(), '2026-01-31 08:00:00')
    await page.getByLabel('From').fill('2026-01-31 08:30')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('2026-01-31 08:30:00').waitFor()
    assert.match(new URL(page.url()).searchParams.get('panes')!, /"from":"?1769848200000/)
  }, { timezoneId: 'America/New_York' }))

test('commands work where they are pasted, with a token', () =>
  signedIn(explore(ask('made', { scenarioId: 'csv_content', csvContent: `name,n\n"it's ""$HOME"" \`x\` \\ ü",1` })), async (page) => {
    await page.getByRole('status').filter({ hasText: '1 row' }).waitFor()
    const plugboard = path.resolve('../bin')
    const token = execFileSync(path.join(plugboard, 'plugboard'), ['token', 'create', '--name', 'paste', '--server', server.url], { env: { ...process.env, PLUGBOARD_PASSWORD: 'pw' }, stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim()
    const paste = async (item: string) => {
      await page.getByRole('button', { name: 'Share' }).click()
      await page.getByRole('menuitem', { name: item }).click()
      await page.getByText('which asks with the token in PLUGBOARD_TOKEN').last().waitFor()
      const command = await page.evaluate(() => navigator.clipboard.readText())
      return execFileSync('sh', ['-c', command], { env: { ...process.env, PATH: `${plugboard}:${process.env.PATH}`, PLUGBOARD_TOKEN: token } }).toString()
    }
    const told = 'it\'s "$HOME" `x` \\ ü'
    assert.deepEqual(JSON.parse(await paste('Copy as curl')).results.A.frames[0].data.values, [[told], [1]])
    assert.ok((await paste('Copy as plugboard query')).includes(told))
  }))

test('the history is searched, starred and forgotten', () =>
  signedIn(explore(ask('made', { scenarioId: 'random_walk' })), async (page) => {
    for (const scenario of ['states', 'logs', 'table']) {
      await page.getByLabel('Scenario').fill(scenario)
      await page.getByRole('button', { name: 'Run' }).click()
      await page.waitForURL(new RegExp(scenario))
    }
    await page.getByRole('button', { name: 'History' }).click()
    const entries = page.locator('.history-entry')
    assert.deepEqual(await entries.locator('code').allTextContents(), ['table', 'logs', 'states'])
    await page.getByRole('listitem').filter({ hasText: 'states' }).getByRole('button', { name: 'Star' }).click()
    assert.deepEqual(await entries.locator('code').allTextContents(), ['states', 'table', 'logs'])
    await look(page, 'explore-history')
    await page.getByLabel('Find in the history').fill('LOG')
    await page.getByRole('button', { name: 'Forget', exact: true }).click()
    await page.getByLabel('Find in the history').fill('')
    await page.getByRole('button', { name: 'Forget all without a star' }).click()
    assert.deepEqual(await entries.locator('code').allTextContents(), ['states'])
    await entries.click()
    await page.waitForURL(/states/)
  }))

test('rare settings are folded away by subject, until they have a value', () =>
  signedIn('/datasources/new?plugin=sql', async (page) => {
    await page.getByLabel('Server', { exact: true }).waitFor()
    assert.ok(!(await page.getByLabel('TLS mode').isVisible()))
    await page.getByText('TLS', { exact: true }).click()
    await page.getByLabel('TLS mode').selectOption('disable')
    await look(page, 'source-groups')
    await page.getByLabel('Server', { exact: true }).fill('127.0.0.1:1')
    await page.getByLabel('Engine').selectOption('postgres')
    await page.getByLabel('Name', { exact: true }).fill('Grouped')
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('heading', { name: 'Grouped' }).waitFor()
    await page.reload()
    await page.getByLabel('TLS mode').waitFor()
    assert.ok(!(await page.getByLabel('Row limit').isVisible()))
  }, /status of 400/))
