// What the console asks of the server more than once, and keeps.
import { QueryClient, queryOptions } from '@tanstack/react-query'
import { readFrame, type FrameJSON } from '../frame/frame.ts'
import { ApiError, getJSON, request, sendFile, sendJSON } from './http.ts'
import type { Health, LifeEvent, Plugin, PluginFault, PluginSchema, Source, SourceSettings, User, Versions } from './types.ts'

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      // What the server has refused it refuses again.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400),
    },
  },
})

const segment = encodeURIComponent

export const user = () => queryOptions({ queryKey: ['user'], queryFn: ({ signal }) => getJSON<User>('/api/user', signal), staleTime: Infinity })

export const sources = () => queryOptions({ queryKey: ['sources'], queryFn: ({ signal }) => getJSON<Source[]>('/api/datasources', signal) })

/** The settings of a data source: who is about to write sees what others have. */
export const source = (uid: string) =>
  queryOptions({ queryKey: ['sources', uid], queryFn: ({ signal }) => getJSON<SourceSettings>(`/api/datasources/uid/${segment(uid)}`, signal), staleTime: 0 })

/** The health of a data source: that it is ill is an answer, not an error. */
export const health = (uid: string) =>
  queryOptions({ queryKey: ['health', uid], queryFn: ({ signal }) => inTurn(() => checkHealthSoon(uid, signal)), staleTime: 30_000 })

export async function checkHealth(uid: string, signal?: AbortSignal): Promise<Health> {
  return (await request(`/api/datasources/uid/${segment(uid)}/health`, { signal }, 400)).json()
}

// A browser has six connections to a server: slow checks must not take them all.
const atOnce = 3
const patience = 20_000
let running = 0
const waiting: (() => void)[] = []

async function inTurn<T>(check: () => Promise<T>): Promise<T> {
  if (running < atOnce) running++
  else await new Promise<void>((go) => waiting.push(go))
  try {
    return await check()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

/** The health of a data source, if it is told soon: nobody waits for this one. */
async function checkHealthSoon(uid: string, signal: AbortSignal): Promise<Health> {
  const late = AbortSignal.timeout(patience)
  try {
    return await checkHealth(uid, AbortSignal.any([signal, late]))
  } catch (error) {
    throw late.aborted && !signal.aborted ? new ApiError(`It has not answered for ${patience / 1000} seconds`, 408) : error
  }
}

/** Processes change by themselves, so this is asked every few seconds. */
export const plugins = () =>
  queryOptions({ queryKey: ['plugins'], queryFn: ({ signal }) => getJSON<Plugin[]>('/api/plugins', signal), refetchInterval: 3_000 })

export const pluginFaults = () =>
  queryOptions({ queryKey: ['faults'], queryFn: ({ signal }) => getJSON<PluginFault[]>('/api/plugins/errors', signal) })

export const pluginEvents = (id: string) =>
  queryOptions({
    queryKey: ['plugins', id, 'events'],
    queryFn: ({ signal }) => getJSON<LifeEvent[]>(`/api/plugins/${segment(id)}/events`, signal),
    refetchInterval: 3_000,
  })

export const pluginSchema = (id: string) =>
  queryOptions({
    queryKey: ['schema', id],
    queryFn: ({ signal }) => getJSON<PluginSchema>(`/api/plugins/${segment(id)}/schema`, signal),
    staleTime: 60_000,
  })

/** What a plugin has used and been asked: of an hour closely, of a day coarsely. */
export const pluginHistory = (id: string, back: '1h' | '24h') =>
  queryOptions({
    queryKey: ['plugins', id, 'history', back],
    queryFn: async ({ signal }) => ({ at: Date.now(), frame: readFrame(await getJSON<FrameJSON>(`/api/plugins/${segment(id)}/history?back=${back}`, signal)) }),
    refetchInterval: 5_000,
  })

/** Which versions there are changes with the one that runs. */
export const pluginVersions = (id: string, running: string) =>
  queryOptions({ queryKey: ['plugins', id, 'versions', running], queryFn: ({ signal }) => getJSON<Versions>(`/api/plugins/${segment(id)}/versions`, signal) })

export type Order = 'start' | 'stop' | 'restart'

/** Tells a plugin's process to start, stop or restart. */
export const orderPlugin = (id: string, order: Order) =>
  sendJSON<{ message: string }>('POST', `/api/plugins/${segment(id)}/${order}`)

export interface Switched {
  message: string
  version: string
}

/** Switches to another version of a plugin, if that starts and no data source is worse off. */
export const switchPlugin = (id: string, how: 'reload' | 'rollback') => sendJSON<Switched>('POST', `/api/plugins/${segment(id)}/${how}`)

/** Sends a new version of a plugin, and switches to it. */
export const upgradePlugin = (id: string, file: File, onSent: (share: number) => void) => sendFile<Switched>(`/api/plugins/${segment(id)}/upgrade`, file, onSent)
