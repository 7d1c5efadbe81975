// The values of a field that a resource of the plugin lists.
import { useQuery } from '@tanstack/react-query'
import { getJSON } from '../api/http.ts'
import { client } from '../api/queries.ts'
import { isObject } from '../explore/state.ts'

export interface Option {
  value: string
  label?: string
}

const hole = /\{(\w+)\}/g

/** Whether a path has a hole of a name. */
export const takes = (template: string, name: string) => template.includes(`{${name}}`)

/** A path with the values of other fields in its holes. */
export const pathOf = (template: string, values: Record<string, unknown>) =>
  template.replace(hole, (_, name: string) => encodeURIComponent(values[name] === undefined || values[name] === null ? '' : String(values[name])))

const query = (uid: string, path: string) => ({
  queryKey: ['options', uid, path],
  queryFn: async () => read(await getJSON<unknown>(resource(uid, path))),
  staleTime: 60_000,
  retry: false,
})

/** The address of a resource, which is the plugin's own: no path of a schema, and no value in it, leads elsewhere. */
export function resource(uid: string, path: string, server = location.origin): string {
  const below = new URL(`/api/datasources/uid/${encodeURIComponent(uid)}/resources/`, server).href
  const { href } = new URL(path, below)
  if (!href.startsWith(below)) throw new Error(`${path} is no resource of a plugin`)
  return href
}

/** What the resource of a data source lists; kept for a minute. */
export const listOptions = (uid: string, path: string): Promise<Option[]> => client.fetchQuery(query(uid, path))

/** The same for a form: nothing until it is there, or where it cannot be had. */
export function useOptions(uid: string | undefined, template: string | undefined, values: Record<string, unknown>): Option[] {
  const enabled = uid !== undefined && template !== undefined
  return useQuery({ ...query(uid ?? '', pathOf(template ?? '', values)), enabled }).data ?? []
}

/** Texts, or objects with a value and perhaps a label. What is neither is left out. */
function read(listed: unknown): Option[] {
  if (!Array.isArray(listed)) return []
  return listed.flatMap((one): Option[] => {
    if (typeof one === 'string' || typeof one === 'number') return [{ value: String(one) }]
    return isObject(one) && one.value !== undefined ? [{ value: String(one.value), label: one.label === undefined ? undefined : String(one.label) }] : []
  })
}
