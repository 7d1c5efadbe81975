import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { look, signedIn, signIn, trySignIn, useBrowser, useServer, visit } from './harness.ts'

const provisioning = mkdtempSync(path.join(tmpdir(), 'plugboard-e2e-provisioning-'))
writeFileSync(path.join(provisioning, 'sources.yaml'), 'apiVersion: 1\ndatasources:\n  - {name: Made, uid: made, type: testdata, access: proxy}\n')

const server = useServer(['serve', '--provisioning', provisioning], { PLUGBOARD_ADMIN_PASSWORD: 'right horse' })
useBrowser()

// A browser says so in its console when a server answers 401.
const allowed = /status of 401/

test('who is not known signs in, and goes on where they wanted to', () =>
  visit(`${server.url}/plugins`, async (page) => {
    await page.getByRole('heading', { name: 'Sign in to Plugboard' }).waitFor()
    await look(page, 'sign-in')
    await trySignIn(page, 'wrong horse')
    await page.getByRole('alert').getByText(/invalid username or password/).waitFor()
    await signIn(page)
    await page.getByRole('heading', { name: 'Plugins' }).waitFor()
    await page.getByRole('link', { name: 'Test data' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to Plugboard' }).waitFor()
  }, { allowed }))

test('a session that ends keeps the page, and what is written there', () =>
  visit(`${server.url}/explore`, async (page) => {
    await signIn(page)
    await page.getByLabel('Scenario').fill('random_walk')
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('heading', { name: 'Sign in to Plugboard' }).waitFor()
    await signIn(page)
    assert.equal(await page.getByLabel('Scenario').inputValue(), 'random_walk')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('img', { name: 'Graph of value' }).waitFor()
  }, { allowed }))

test('what is provisioned is read-only', () =>
  visit(`${server.url}/datasources/made`, async (page) => {
    await signIn(page)
    await page.getByText('provisioning file').waitFor()
    assert.ok(await page.getByLabel('Name', { exact: true }).isDisabled())
    await page.getByRole('button', { name: 'Test' }).click()
    await page.getByText('Test data is always there').waitFor()
    await look(page, 'source-provisioned')
  }, { allowed }))

test('a connection that is lost is said, and made again', () =>
  visit(`${server.url}/home`, async (page) => {
    await signIn(page)
    await page.getByText('All is well').waitFor()
    await page.goto(`${server.url}/explore`)
    await page.getByLabel('Scenario').fill('random_walk')
    await page.context().setOffline(true)
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').getByText('The server does not answer').waitFor()
    await page.context().setOffline(false)
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('img', { name: 'Graph of value' }).waitFor()
  }, { allowed: /status of 401|ERR_INTERNET_DISCONNECTED/ }))

test('a page that was never open is there while the server is not', () =>
  signedIn(server, '/datasources', async (page) => {
    await page.getByRole('link', { name: 'Made', exact: true }).waitFor()
    await page.waitForLoadState('networkidle')
    await server.stop()
    await page.getByRole('link', { name: 'Live', exact: true }).click()
    await page.getByRole('heading', { name: 'Live' }).waitFor()
    await page.getByText('Trying again…').waitFor()
    await server.start()
    await signIn(page)
    await page.getByText('Trying again…').waitFor({ state: 'detached' })
  }, { allowed: /status of (401|503)|ERR_/ }))

test('a log that is read goes on after a session that ended', () =>
  visit(`${server.url}/plugins/testdata`, async (page) => {
    await signIn(page)
    const log = page.getByRole('region', { name: 'Log' })
    await log.getByText('plugin started').waitFor()
    await page.context().clearCookies()
    await page.getByRole('heading', { name: 'Sign in to Plugboard' }).waitFor()
    await signIn(page)
    await page.getByRole('button', { name: 'Restart' }).click()
    await log.getByText('plugin started').nth(1).waitFor()
  }, { allowed: /status of (401|503)/ }))

test('a window learns what another one does with the session', () =>
  signedIn(server, '/datasources', async (page) => {
    await page.getByRole('link', { name: 'Made', exact: true }).waitFor()
    const other = await page.context().newPage()
    await other.goto(`${server.url}/home`)
    await other.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('Your session has ended').waitFor()
    await signIn(other)
    await page.getByRole('heading', { name: 'Sign in to Plugboard' }).waitFor({ state: 'detached' })
  }, { allowed }))

// The last one: the server does not listen to this machine for a while.
test('who guesses passwords is told to wait', () =>
  visit(`${server.url}/explore?panes=[]`, async (page) => {
    for (let tries = 0; tries < 12 && !(await page.getByText('too many failed logins').isVisible()); tries++) {
      const answer = page.waitForResponse('**/login')
      await trySignIn(page, `wrong horse ${tries}`)
      await answer
    }
    await page.getByRole('alert').getByText(/try again in \d+ seconds/).waitFor()
    assert.match(page.url(), /panes=/)
    await look(page, 'sign-in-wait')
  }, { allowed: /status of (401|429)/ }))
