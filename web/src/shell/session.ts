// Whether the server knows who asks. A session that ends leaves the page as it
// is: signing in again goes on from there.
import { useSyncExternalStore } from 'react'
import { client } from '../api/queries.ts'
import { onSignedOut, request, sendJSON } from '../api/http.ts'

let out = false
const listeners = new Set<() => void>()

function change(to: boolean) {
  out = to
  listeners.forEach((listener) => listener())
}

onSignedOut(() => change(true))

export const useSignedOut = () =>
  useSyncExternalStore((listener) => (listeners.add(listener), () => void listeners.delete(listener)), () => out)

export async function signIn(user: string, password: string) {
  await sendJSON('POST', '/login', { user, password })
  change(false)
  await client.invalidateQueries()
}

export async function signOut() {
  await request('/logout', { method: 'POST' })
  client.clear()
  change(true)
}
