// Taking an answer elsewhere: as a file, as a command.
import { request } from '../api/http.ts'
import { absolute, forServer } from '../time/range.ts'
import { bodyOf } from './ask.ts'
import { modelOf, type Pane, type Query } from './state.ts'

export const formats = [
  { title: 'CSV', mediaType: 'text/csv', extension: 'csv' },
  { title: 'JSON', mediaType: 'application/json', extension: 'json' },
  { title: 'Arrow', mediaType: 'application/vnd.apache.arrow.stream', extension: 'arrows' },
  { title: 'Parquet', mediaType: 'application/vnd.apache.parquet', extension: 'parquet' },
]

/** Asks the queries again and saves the answer in a format. */
export async function download(pane: Pane, points: number, format: (typeof formats)[number]) {
  const headers = { 'Content-Type': 'application/json', Accept: format.mediaType }
  const response = await request('/api/ds/query', { method: 'POST', body: JSON.stringify(bodyOf(pane, points)), headers })
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = `${pane.queries[0]?.datasource.uid ?? 'answer'}.${format.extension}`
  link.click()
  URL.revokeObjectURL(url)
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** A command that asks all queries at once; where people sign in, with the token that the environment has. */
export function curlOf(pane: Pane, points: number, signed: boolean): string {
  const token = signed ? ' -H "Authorization: Bearer $PLUGBOARD_TOKEN"' : ''
  return `curl -s ${location.origin}/api/ds/query${token} -H 'Content-Type: application/json' -d ${quote(JSON.stringify(bodyOf(pane, points)))}`
}

/** A link to a pane that shows the same time, whenever it is followed. */
export function linkAt(pane: Pane, span: [from: number, to: number]): string {
  return `${location.origin}/explore?panes=${encodeURIComponent(JSON.stringify([{ ...pane, range: absolute(...span) }]))}`
}

/** A command for each query, which takes its token from the environment; text that the plugin takes as such is not wrapped in JSON. */
export function commandOf(pane: Pane, textField: (query: Query) => string | undefined): string {
  const { from, to } = forServer(pane.range)
  return pane.queries.filter((q) => !q.hide && q.datasource.uid).map((query) => {
    const model = modelOf(query)
    const text = textField(query)
    const plain = text && Object.keys(model).length === 1 ? model[text] : undefined
    const question = typeof plain === 'string' ? plain : JSON.stringify(model)
    return `plugboard query --server ${location.origin} --from ${quote(from)} --to ${quote(to)} -- ${quote(query.datasource.uid)} ${quote(question)}`
  }).join('\n')
}
