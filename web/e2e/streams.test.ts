import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { add, look, signedIn, useBrowser, useServer } from './harness.ts'

const server = useServer(['serve', '--plugins', 'bin/e2e', '--allow-unsigned', '*'], { PLUGBOARD_ADMIN_PASSWORD: 'right horse' },
  (server) => add(server, { uid: 'trouble', name: 'Trouble', type: 'plugboard-trouble-datasource', url: 'http://127.0.0.1:9' }))
useBrowser()

const live = (path: string) => `/live?channel=ds/trouble/${path}`

test('a stream is chosen by its source and path', () =>
  signedIn(server, '/live', async (page) => {
    await page.getByText('Choose whose stream it is').waitFor()
    await look(page, 'live-empty')
    await page.getByLabel('Of').selectOption('Trouble')
    await page.getByLabel('Path').fill('growing')
    await page.getByRole('button', { name: 'Listen' }).click()
    await page.waitForURL(/channel=ds.*trouble.*growing/)
    // Rows that came before there was a second value stay.
    await page.getByRole('button', { name: /^second/ }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused').waitFor()
    await page.getByRole('button', { name: 'Table', exact: true }).click()
    await page.getByRole('columnheader', { name: 'second' }).waitFor()
    const [came, rows] = [Number(/(\d+) packets/.exec(await page.locator('.live').innerText())![1]), Number(await page.getByRole('table').getAttribute('aria-rowcount')) - 1]
    assert.equal(rows, came)
    // A whole channel may be put into the path.
    await page.getByLabel('Path').fill('ds/trouble/words')
    await page.getByRole('button', { name: 'Listen' }).click()
    await page.getByRole('region', { name: 'ds/trouble/words' }).waitFor()
  }))

test('a thousand packets a second do not hold up the page', () =>
  signedIn(server, live('racing'), async (page) => {
    await page.getByText(/[2-9]\d\d\/s/).waitFor()
    await page.getByRole('img', { name: 'Graph of value' }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused').waitFor()
  }))

test('a stream that ends says so, and is listened to again', () =>
  signedIn(server, live('ends'), async (page) => {
    await page.getByText('The stream has ended').waitFor()
    await page.getByText('4 packets').waitFor()
    await look(page, 'live-ended')
    await page.getByRole('button', { name: 'Listen again' }).click()
    await page.getByText('8 packets').waitFor()
  }))

test('packets that are no frames are shown as they came', () =>
  signedIn(server, live('words'), async (page) => {
    await page.getByText('{"word":"number 3"}').waitFor()
    await look(page, 'live-packets')
  }))

const call = (path: string) => `/resources?of=ds/trouble&path=${path}`

test('a request has a method, headers and a body', () =>
  signedIn(server, call('echo?a=1'), async (page) => {
    await page.getByLabel('Method').selectOption('POST')
    await page.getByRole('textbox', { name: 'Body' }).click()
    await page.keyboard.insertText('{"asked": true}')
    await page.getByText('Headers to send').click()
    await page.getByRole('textbox', { name: 'Headers to send' }).fill('no header')
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('alert').getByText('is no header').waitFor()
    await page.getByRole('textbox', { name: 'Headers to send' }).fill('Accept: text/x-mine')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('heading', { name: '200' }).waitFor()
    const answer = page.getByRole('region', { name: 'Answer' })
    await answer.getByText('"text/x-mine"').waitFor()
    await answer.getByText('"POST"').waitFor()
    await answer.getByText(String.raw`"{\"asked\": true}"`).waitFor()
    await answer.getByText('Headers', { exact: false }).last().click()
    await answer.getByText('x-trouble').waitFor()
    await look(page, 'resource-answer')
  }))

test('pictures, bytes and errors are shown as what they are', () =>
  signedIn(server, call('picture'), async (page) => {
    const press = async (path: string) => {
      await page.getByLabel('Path').fill(path)
      await page.getByRole('button', { name: 'Call' }).click()
    }
    await press('picture')
    await page.getByRole('img', { name: 'The body of the answer' }).waitFor()
    await press('bytes')
    await page.getByText('000010  10 11 12 13').waitFor()
    await look(page, 'resource-bytes')
    await press('broken')
    await page.getByRole('heading', { name: '500' }).waitFor()
    await page.getByText('it is broken').waitFor()
  }, { allowed: /status of 500/ }))

// No error in the console: what the page would do is not even tried. (The scripts
// that are blocked are those by which this test looks into it.)
test('a page of a plugin is shown, and can do nothing', () =>
  signedIn(server, call('page'), async (page) => {
    await page.getByRole('button', { name: 'Call' }).click()
    const inside = page.frameLocator('iframe')
    await inside.getByRole('heading', { name: 'A page of a plugin', includeHidden: true }).waitFor()
    assert.equal(await inside.getByText('Plain words.').evaluate((p) => getComputedStyle(p).color), 'rgb(0, 128, 128)')
    assert.equal(await inside.locator('script, meta[http-equiv]').count(), 0)
    await page.getByTitle('The body of the answer').click({ position: { x: 20, y: 130 } })
    await look(page, 'resource-page')
    assert.match(page.url(), /resources/)
    assert.match(await page.title(), /Plugboard$/)
    await page.getByRole('button', { name: 'Source' }).click()
    await page.getByText('<h1>A page of a plugin</h1>').waitFor()
  }, { allowed: /Blocked script execution/ }))

test('a huge body is fetched with its progress, and downloaded whole', () =>
  signedIn(server, call('big'), async (page) => {
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByText(/The first 256 KiB of 4\d/).waitFor()
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()])
    assert.equal(readFileSync(await file.path()).length, 50_000 * 1_003 + 1)
  }))

test('a body without end is watched, and given up', () =>
  signedIn(server, call('endless'), async (page) => {
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByText(/so far/).waitFor()
    await page.getByText(/line 9/).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('You cancelled it').waitFor()
    await page.getByRole('button', { name: 'Call' }).waitFor()
    await look(page, 'resource-cancelled')
  }))
