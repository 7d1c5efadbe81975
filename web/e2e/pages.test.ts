import assert from 'node:assert/strict'
import { test } from 'node:test'
import { look, useBrowser, useServer, visit } from './harness.ts'

const server = useServer(['demo', '--plugins', 'bin/demo'])
useBrowser()

interface Plugin {
  id: string
  process: { pid: number; state: string }
}

const plugin = async (id: string) => ((await (await fetch(`${server.url}/api/plugins`)).json()) as Plugin[]).find((p) => p.id === id)!

test('home shows what runs', () =>
  visit(`${server.url}/home`, async (page) => {
    await page.getByText('5 of 5').waitFor()
    await page.getByText('All is well').waitFor()
    await look(page, 'home')
  }))

test('the palette goes anywhere by name', () =>
  visit(`${server.url}/home`, async (page) => {
    await page.getByText('5 of 5').waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('data weath')
    await page.getByRole('option', { name: /Weather in Seattle/ }).waitFor()
    await look(page, 'palette')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Weather in Seattle' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('theme dark')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
    // Who only looked is back where they were.
    const name = page.getByLabel('Name', { exact: true })
    await name.focus()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('nothing has this name')
    await page.getByText('Nothing has that name').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('combobox', { name: 'Search and commands' }).waitFor({ state: 'detached' })
    assert.ok(await name.evaluate((e) => e === document.activeElement))
    await page.keyboard.press('Control+k')
    await page.keyboard.type('restart test')
    await page.keyboard.press('Enter')
    await page.getByText(/restarted/i).waitFor()
  }))

test('a data source is made with the keyboard alone', () =>
  visit(`${server.url}/home`, async (page) => {
    const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).innerText || document.activeElement!.id)
    const to = async (what: RegExp) => {
      for (let i = 0; i < 60 && !what.test(await focused()); i++) await page.keyboard.press('Tab')
      assert.match(await focused(), what)
    }
    await page.getByText(/^\d of \d$/).waitFor()
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Skip to the page')
    await to(/^Data sources$/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Data sources' }).waitFor()
    await to(/Add a data source/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Add a data source' }).waitFor()
    await page.getByRole('link', { name: /^Test data/ }).waitFor()
    await to(/^Test data/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'New data source: Test data' }).waitFor()
    await to(/^name$/)
    await page.keyboard.press('Control+a')
    await page.keyboard.type('By hand')
    await page.keyboard.press('Enter')
    await page.getByText('Test data is always there').waitFor()
    await to(/^Delete$/)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByText('gone for good').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Delete')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Shift+Tab')
    assert.equal(await focused(), 'Delete')
    await page.keyboard.press('Enter')
    await page.getByText('By hand is deleted').waitFor()
  }))

test('on a phone there is a place for everything', () =>
  visit(`${server.url}/home`, async (page) => {
    await page.getByRole('button', { name: 'More' }).click()
    await look(page, 'more', ['phone'])
    await page.getByRole('menuitem', { name: 'Resources' }).click()
    await page.getByRole('heading', { name: 'Resources' }).waitFor()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Search' }).click()
    await page.getByRole('combobox', { name: 'Search and commands' }).waitFor()
  }, { viewport: { width: 400, height: 860 } }))

test('over a slow network pages say that they load, and nothing jumps', () =>
  visit('about:blank', async (page) => {
    const network = await page.context().newCDPSession(page)
    await network.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 100_000, uploadThroughput: 100_000 })
    await page.addInitScript(() => {
      const moved: string[] = []
      const page = Object.assign(window, { moved, loading: false })
      new MutationObserver(() => (page.loading ||= document.querySelector('[role=status]')?.textContent?.includes('Loading…') ?? false)).observe(document, { childList: true, subtree: true })
      new PerformanceObserver((list) => {
        for (const shift of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Element }[] })[]) {
          if (!shift.hadRecentInput) moved.push(`${shift.value.toFixed(4)} ${shift.sources.map((s) => s.node?.className ?? '').join(', ')}`)
        }
      }).observe({ type: 'layout-shift', buffered: true })
    })
    for (const [path, there] of [['/home', 'All is well: nothing needs you.'], ['/datasources', 'healthy'], ['/datasources/seattle', 'Save & test'], ['/datasources/new', 'HTTP'], ['/live', 'Listen'], ['/resources', 'Call']]) {
      await page.goto(server.url + path)
      await page.getByText(there, { exact: true }).first().waitFor()
      await page.waitForLoadState('networkidle')
      const { moved, loading } = await page.evaluate(() => { const { moved, loading } = window as unknown as { moved: string[]; loading: boolean }; return { moved, loading } })
      assert.ok(loading, `${path} says that it loads`)
      const sum = moved.reduce((sum, m) => sum + parseFloat(m), 0)
      console.log(`layout shift of ${path}: ${sum.toFixed(4)}`)
      assert.ok(sum < 0.02, `${path} jumps: ${moved.join('; ')}`)
    }
  }))

test('a data source is added, tested, duplicated and deleted', () =>
  visit(`${server.url}/datasources`, async (page) => {
    await page.getByRole('link', { name: 'Weather in Seattle', exact: true }).waitFor()
    await page.getByText('healthy').nth(3).waitFor()
    await look(page, 'sources')
    await page.getByRole('link', { name: 'Add a data source' }).click()
    await page.getByRole('link', { name: /^SQL/ }).waitFor()
    await look(page, 'sources-choose')
    await page.getByRole('link', { name: /^SQL/ }).click()
    await page.getByLabel('Name', { exact: true }).fill('Shop')
    await page.getByLabel('UID').fill('shop')
    await page.getByLabel('File', { exact: true }).fill('/nowhere/shop.db')
    await page.getByLabel('Password', { exact: true }).fill('s3cret')
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('heading', { name: 'Shop' }).waitFor()
    assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), 'configured')
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('alert').getByText(/shop\.db/).waitFor()
    await look(page, 'source')
    await page.getByRole('link', { name: 'Duplicate' }).click()
    await page.getByRole('heading', { name: 'New data source: SQL' }).waitFor()
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Shop (copy)')
    await page.goto(`${server.url}/datasources/shop`)
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('gone for good').waitFor()
    await look(page, 'source-delete')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Shop is deleted').waitFor()
    assert.equal((await fetch(`${server.url}/api/datasources/uid/shop`)).status, 404)
  }, { allowed: /status of 400/ }))

test('a plugin without schema is configured in JSON', () =>
  visit(`${server.url}/datasources/new?plugin=plugboard-foreign-datasource`, async (page) => {
    await page.getByLabel('Name', { exact: true }).fill('Another sun')
    await page.getByRole('textbox', { name: 'Settings as JSON' }).waitFor()
    await page.getByLabel('Another secret').fill('apiKey')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByLabel('apiKey').fill('hidden')
    await look(page, 'source-json')
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('heading', { name: 'Another sun' }).waitFor()
    assert.equal(await page.getByLabel('apiKey').inputValue(), 'configured')
  }))

test('a plugin that is killed comes back, and its page tells', () =>
  visit(`${server.url}/plugins`, async (page) => {
    await page.getByRole('link', { name: 'Sun', exact: true }).waitFor()
    await look(page, 'plugins')
    await page.getByRole('link', { name: 'Sun', exact: true }).click()
    const { pid } = (await plugin('plugboard-foreign-datasource')).process
    await page.getByText('plugin started').waitFor()
    process.kill(pid, 'SIGKILL')
    await page.getByText(/Ended by/).waitFor()
    await page.getByRole('img', { name: 'Graph of memory' }).waitFor()
    await page.locator('.page-head').getByText('ready').waitFor()
    assert.notEqual((await plugin('plugboard-foreign-datasource')).process.pid, pid)
    await look(page, 'plugin')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('.page-head').getByText('stopped').waitFor()
    await page.getByRole('button', { name: 'Start' }).click()
    await page.locator('.page-head').getByText('ready').waitFor()
    // While there is no process, its metrics cannot be asked for.
  }, { allowed: /status of 503/ }))

test('a stream is drawn as it comes, and paused', () =>
  visit(`${server.url}/live?channel=ds/vitals/vitals`, async (page) => {
    await page.getByText('Live', { exact: true }).nth(1).waitFor()
    await page.getByText(/[3-9] packets/).waitFor()
    await look(page, 'live')
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused').waitFor()
  }))

test('a resource is called', () =>
  visit(`${server.url}/resources?of=ds/seattle&path=tables`, async (page) => {
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('heading', { name: '200' }).waitFor()
    await page.getByText('"weather"').waitFor()
    await look(page, 'resources')
    await page.getByLabel('Path').fill('columns')
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('heading', { name: '400' }).waitFor()
    await page.getByText(/table is missing/).waitFor()
  }, { allowed: /status of 400/ }))

test('a stream says when its server is gone, and goes on when that is back', () =>
  visit(`${server.url}/live?channel=ds/vitals/vitals`, async (page) => {
    await page.getByText(/[2-9] packets/).waitFor()
    await server.stop()
    await page.getByText('Connection lost').waitFor()
    await server.start()
    const state = page.getByRole('region', { name: 'ds/vitals/vitals' }).getByRole('status')
    await state.getByText('Live').waitFor()
  }, { allowed: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|status of [45]\d\d/ }))

test('a channel that there is not is refused, with the reason', () =>
  visit(`${server.url}/live?channel=ds/nothing/x`, async (page) => {
    await page.getByRole('alert').getByText(/nothing|not found/i).waitFor()
  }, { allowed: /status of 404/ }))
