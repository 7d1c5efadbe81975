// A data source as it is written, before the server has it.
import type { Plugin, SourceSettings } from '../api/types.ts'

export interface Draft {
  uid?: string
  name: string
  type: string
  access: string
  isDefault: boolean
  jsonData: Record<string, unknown>
  /** Only the secrets that are to be changed. */
  secureJsonData: Record<string, unknown>
  version?: number
  /** The other settings that a plugin's schema may name: url, user and so on. */
  [setting: string]: unknown
}

export const emptyDraft = (plugin: Plugin): Draft => ({ name: plugin.name, type: plugin.id, access: 'proxy', isDefault: false, jsonData: {}, secureJsonData: {} })

export function draftOf(kept: SourceSettings): Draft {
  const { uid, name, type, access, isDefault, jsonData, version, url, user, database, basicAuth, basicAuthUser, withCredentials } = kept
  return { uid, name, type, access, isDefault, jsonData, secureJsonData: {}, version, url, user, database, basicAuth, basicAuthUser, withCredentials }
}

export const copyOf = (original: SourceSettings): Draft =>
  ({ ...draftOf(original), uid: undefined, name: `${original.name} (copy)`, isDefault: false, version: undefined })

/** Whether two drafts say the same. */
export const same = (a: Draft, b: Draft) => JSON.stringify(told(a)) === JSON.stringify(told(b))

// Which version it was made of is not what it says, nor is the order of names.
const told = ({ version: _, ...draft }: Draft) => sorted(draft)

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.entries(value).filter(([, of]) => of !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, of]) => [name, sorted(of)])
}
