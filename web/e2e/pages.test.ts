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
