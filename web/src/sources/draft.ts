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
  const { name, type, access, isDefault, jsonData, version, url, user, database, basicAuth, basicAuthUser, withCredentials } = kept
  return { name, type, access, isDefault, jsonData, secureJsonData: {}, version, url, user, database, basicAuth, basicAuthUser, withCredentials }
}
