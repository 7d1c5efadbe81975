import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { add, look, plugin, resource, signedIn, signIn, until, useBrowser, useServer } from './harness.ts'

const provisioning = mkdtempSync(path.join(tmpdir(), 'plugboard-e2e-provisioning-'))
const many = Array.from({ length: 500 }, (_, i) => `  - {name: Many ${i}, uid: many-${i}, type: testdata, access: proxy}\n`)
writeFileSync(path.join(provisioning, 'many.yaml'), `apiVersion: 1\ndatasources:\n${many.join('')}`)

const server = useServer(['serve', '--provisioning', provisioning, '--plugins', 'bin/e2e', '--plugins', 'bin/demo', '--allow-unsigned', '*'], { PLUGBOARD_ADMIN_PASSWORD: 'right horse' })
useBrowser()

const type = 'plugboard-trouble-datasource'
const url = 'http://127.0.0.1:9'
const trouble = (uid: string, health: string) => add(server, { uid, name: `Trouble ${uid}`, type, url, jsonData: { health } })

test('a data source that is added is tested at once, and says what the plugin says', () =>
  signedIn(server, '/datasources/new', async (page) => {
    await page.getByRole('link', { name: 'Trouble' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Wordy')
    await page.getByLabel('UID').fill('wordy')
    await page.getByRole('button', { name: 'Save & test' }).click()
    assert.equal(await page.getByLabel('URL').evaluate((e: HTMLInputElement) => e.validity.valueMissing), true)
    await page.getByLabel('URL').fill(url)
    await page.getByLabel('Health').selectOption('wordy')
    await page.getByLabel('Token').fill('a secret that nobody sees')
    assert.equal(await page.getByLabel('Token').getAttribute('type'), 'password')
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByText('All of the forty tables answer').waitFor()
    await page.getByText('17.2').waitFor()
    await page.locator('summary').filter({ hasText: 'tables' }).click()
    await page.locator('summary').filter({ hasText: /^0 \d fields/ }).click()
    await page.getByText('table_0_<script>alert(1)</script>').waitFor()
    await look(page, 'source-tested')
    assert.equal(await page.getByLabel('Token').inputValue(), 'configured')
    assert.ok(!(await page.content()).includes('a secret that nobody sees'))
    // The words stay when it is saved with another name.
    await page.getByLabel('Name', { exact: true }).fill('Wordy too')
    await page.getByText('Not saved yet').waitFor()
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('heading', { name: 'Wordy too' }).waitFor()
    await page.getByText('All of the forty tables answer').waitFor()
  }))

test('a test that fails says why, a slow one is given up, a dead one says so', async () => {
  await trouble('ill', 'ill')
  await trouble('slow', 'slow')
  await signedIn(server, '/datasources/ill', async (page) => {
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('alert').getByText('connection refused').waitFor()
    await look(page, 'source-ill')
    await page.goto(`${server.url}/datasources/slow`)
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByText(/^[1-9]\d* s$/).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('The test was given up').waitFor()
    const before = await resource(server, 'slow', 'checks')
    await page.getByRole('button', { name: 'Save & test' }).click()
    await until(async () => (await resource(server, 'slow', 'checks')) !== before)
    process.kill((await plugin(server, type)).process.pid, 'SIGKILL')
    // What may be asked twice may be asked of the next process, once.
    const next = async () => (await resource(server, 'slow', 'checks')) === '1'
    await until(async () => (await page.getByRole('alert').isVisible()) || (await next()))
    if (!(await page.getByRole('alert').isVisible())) process.kill((await plugin(server, type)).process.pid, 'SIGKILL')
    await page.locator('.test-result').getByRole('alert').getByText('its process ended').waitFor()
  }, { allowed: /status of (400|50\d)/ })
})

test('two who write the same data source are told of each other', async () => {
  await trouble('shared', 'fine')
  await signedIn(server, '/datasources/shared', async (page) => {
    const other = await page.context().newPage()
    await other.goto(`${server.url}/datasources/shared`)
    await page.getByLabel('Name', { exact: true }).fill('Mine')
    await other.getByLabel('URL').fill('http://127.0.0.1:10')
    await other.getByRole('button', { name: 'Save & test' }).click()
    await other.getByText('fine', { exact: true }).last().waitFor()
    await page.getByRole('button', { name: 'Save & test' }).click()
    const told = page.getByRole('alert').filter({ hasText: 'Somebody else has saved' })
    await told.getByText('differ in name, url').waitFor()
    await look(page, 'source-conflict')
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Mine')
    await told.getByRole('button', { name: 'Keep mine' }).click()
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('heading', { name: 'Mine' }).waitFor()
    // Who has written nothing sees what there is now.
    await other.bringToFront()
    await other.getByRole('link', { name: 'Home', exact: true }).click()
    await other.getByRole('heading', { name: 'Needs attention' }).waitFor()
    await other.goBack()
    await other.getByRole('heading', { name: 'Mine' }).waitFor()
    assert.equal(await other.getByLabel('URL').inputValue(), url)
  }, { allowed: /status of 409/ })
})

test('what is written survives a session that ends, a server that is away, and a wrong turn', async () => {
  await trouble('kept', 'fine')
  await signedIn(server, '/datasources/kept', async (page) => {
    await page.getByLabel('Name', { exact: true }).fill('Written')
    await page.getByLabel('Token').fill('typed')
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByText('Your session has ended').waitFor()
    await look(page, 'sign-in-again')
    await signIn(page)
    await page.getByText('Nothing was saved').waitFor()
    assert.equal(await page.getByLabel('Token').inputValue(), 'typed')

    await server.stop()
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('alert').getByText('The server does not answer').waitFor()
    await page.getByText('Trying again…').waitFor()
    await server.start()
    // A server that has been started anew knows nobody.
    await page.getByText('Trying again…').waitFor({ state: 'detached' })
    await signIn(page)
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Written')

    await page.getByRole('link', { name: 'Plugins', exact: true }).click()
    await page.getByRole('dialog').getByText('is not saved').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Save & test' }).click()
    await page.getByRole('heading', { name: 'Written' }).waitFor()
    await page.getByText('fine', { exact: true }).last().waitFor()
    await page.getByRole('link', { name: 'Plugins', exact: true }).click()
    await page.getByRole('heading', { name: 'Plugins' }).waitFor()
  }, { allowed: /status of (401|503)|ERR_/ })
})

test('settings that are no JSON are not saved', () =>
  signedIn(server, '/datasources/new?plugin=plugboard-foreign-datasource', async (page) => {
    const editor = page.getByRole('textbox', { name: 'Settings as JSON' })
    await editor.press('ControlOrMeta+a')
    await page.keyboard.insertText('{"city": ')
    await page.getByText('This is no JSON object').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Save & test' }).isDisabled())
    await page.keyboard.insertText('"Oslo"}')
    await page.getByText('This is no JSON object').waitFor({ state: 'detached' })
    assert.ok(await page.getByRole('button', { name: 'Save & test' }).isEnabled())
  }))

test('five hundred data sources are listed at once, and found by name', async () => {
  await add(server, { uid: 'odd', name: `<script>alert(1)</script> ${'Donaudampfschifffahrtsgesellschaft '.repeat(5)}`, type: 'testdata' })
  await signedIn(server, '/datasources', async (page) => {
    const asked: string[] = []
    page.on('request', (request) => request.url().endsWith('/health') && asked.push(request.url()))
    await page.getByRole('link', { name: 'Many 0', exact: true }).waitFor()
    await page.getByText('healthy').first().waitFor()
    assert.ok(asked.length < 60, `only those in sight are asked how they are, not ${asked.length}`)
    // (A list as long as this is too much for axe.)
    await page.getByLabel('Filter data sources').fill('many 49')
    await page.getByText(/^15 of 5\d\d$/).waitFor()
    await look(page, 'sources-many')
    await page.getByLabel('Filter data sources').fill('many 499')
    await page.getByText('1 of 5').waitFor()
    await page.getByRole('link', { name: 'Many 499', exact: true }).waitFor()
    await page.getByLabel('Filter data sources').fill('nowhere to be found')
    await page.getByText('No data source has that').waitFor()
    await page.goto(`${server.url}/datasources/odd`)
    await page.getByRole('heading', { name: '<script>' }).waitFor()
    await look(page, 'source-odd')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('many 333')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Many 333' }).waitFor()
  })
})
