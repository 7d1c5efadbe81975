// What the API tells, as far as the console reads it.

export type Role = 'Viewer' | 'Editor' | 'Admin'

export interface User {
  login: string
  name: string
  role: Role
}

export interface Source {
  uid: string
  name: string
  type: string
  typeName: string
  typeLogoUrl: string
  url: string
  isDefault: boolean
  readOnly: boolean
}

/** A data source in full, as it is edited. */
export interface SourceSettings {
  id: number
  uid: string
  name: string
  type: string
  access: string
  url: string
  user: string
  database: string
  basicAuth: boolean
  basicAuthUser: string
  withCredentials: boolean
  isDefault: boolean
  jsonData: Record<string, unknown>
  secureJsonFields: Record<string, boolean>
  version: number
  readOnly: boolean
  /** The file that a read-only one comes from. */
  provenance?: string
}

export type State = 'no backend' | 'starting' | 'ready' | 'degraded' | 'backing-off' | 'quarantined' | 'stopped'

export interface Process {
  state: State
  pid?: number
  since?: string
  nextStart?: string
  restarts: number
  calls: number
  waiting: number
  streams: number
  lastError?: string
  /** Where one is that runs elsewhere. */
  address?: string
  level?: string
  sandbox?: { tier: string; on: boolean; detail: string }[]
}

export interface Plugin {
  id: string
  name: string
  type: string
  info: {
    author: { name: string; url: string }
    description: string
    logos: { small: string; large: string }
    version: string
    updated: string
    links: { name: string; url: string }[] | null
  }
  signature: string
  signatureType: string
  signatureOrg: string
  process: Process
}

/** Which versions of a plugin there are. */
export interface Versions {
  /** The one that runs. */
  version: string
  /** What a rollback would switch to. */
  former?: OtherVersion
  /** What a reload would switch to. */
  folder?: OtherVersion
}

export interface OtherVersion {
  version?: string
  /** Whether it came by an upgrade, or lies in a plugin folder of the server. */
  installed: boolean
  /** Why it would not be switched to. */
  fault?: string
}

export interface PluginFault {
  errorCode: string
  pluginId: string
  path: string
  reason: string
}

export interface LifeEvent {
  number: number
  time: string
  state: State
  pid?: number
  reason: string
  exit?: { code: number; signal?: string; outOfMemory: boolean; peakRssBytes?: number; stderr: string[] }
}

export interface LogLine {
  number: number
  time: string
  level: string
  message: string
  attrs: string
}

/** A JSON Schema, as far as forms are drawn from it. */
export interface Schema {
  type?: string
  title?: string
  description?: string
  examples?: unknown[]
  enum?: unknown[]
  default?: unknown
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  writeOnly?: boolean
  /** The resource that lists the values there are, or the words of a text. */
  'x-plugboard-options'?: string
  /** What a text is written in. */
  'x-plugboard-language'?: string
  /** What it stands under, folded away. */
  'x-plugboard-group'?: string
}

export interface PluginSchema {
  pluginId: string
  origin: 'plugin' | 'files' | 'none'
  capabilities: string[] | null
  queryText?: string
  settings: Schema | null
  queryTypes: { name: string; description?: string; schema: Schema; discriminators?: { field: string; value: string }[] }[]
}

export interface Health {
  status: string
  message: string
  details?: Record<string, unknown>
}
