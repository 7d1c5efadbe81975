import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/http.ts'
import { pluginSchema } from '../api/queries.ts'
import type { PluginSchema, Schema, Source } from '../api/types.ts'
import { Editor } from '../editor/Editor.tsx'
import { Form } from '../form/Form.tsx'
import TextEditor from '../form/TextEditor.tsx'
import type { Notice } from '../frame/frame.ts'
import { safe } from '../frame/link.ts'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import type { Result } from './ask.ts'
import { modelOf, readObject, type Query } from './state.ts'

interface QueryProps {
  query: Query
  sources: Source[]
  result?: Result
  onChange: (query: Query) => void
  /** Takes a change that is run at once. */
  onCommit: (query: Query) => void
  onRun: () => void
  onDuplicate: () => void
  /** Moves it by a place; not there where it has none to go to. */
  onUp?: () => void
  onDown?: () => void
  onRemove?: () => void
}

/** One query: which data source, and what it is asked, as a form or as JSON. */
export function QueryRow({ query, sources, result, onChange, onCommit, onRun, onDuplicate, onUp, onDown, onRemove }: QueryProps) {
  const source = sources.find((s) => s.uid === query.datasource.uid)
  const schema = useQuery({ ...pluginSchema(source?.type ?? ''), enabled: source !== undefined })
  const form = schema.data && formOf(schema.data, query)
  const [asJSON, setAsJSON] = useState(false)
  const choose = (uid: string) => {
    const same = sources.find((s) => s.uid === uid)?.type === source?.type
    onChange(same ? { ...query, datasource: { uid } } : { refId: query.refId, datasource: { uid } })
  }
  return (
    <fieldset className={`query ${query.hide ? 'off' : ''}`}>
      <legend className="unseen">Query {query.refId}</legend>
      <div className="query-head">
        <span className="ref" aria-hidden="true">{query.refId}</span>
        <select aria-label={`Data source of query ${query.refId}`} value={source ? source.uid : ''} onChange={(event) => choose(event.target.value)}>
          {!source && <option value="">{query.datasource.uid ? `${query.datasource.uid} (not there)` : 'Choose a data source'}</option>}
          {sources.map((s) => <option key={s.uid} value={s.uid}>{s.name}</option>)}
        </select>
        <span className="spread" />
        {form && (
          <button type="button" className="button quiet-button" aria-pressed={asJSON} onClick={() => setAsJSON(!asJSON)}>JSON</button>
        )}
        {onUp && <button type="button" className="icon-button" aria-label={`Move query ${query.refId} up`} title="Move up" onClick={onUp}><Icon name="up" /></button>}
        {onDown && <button type="button" className="icon-button" aria-label={`Move query ${query.refId} down`} title="Move down" onClick={onDown}><Icon name="down" /></button>}
        <button type="button" className="icon-button" aria-label={`Duplicate query ${query.refId}`} title="Duplicate" onClick={onDuplicate}><Icon name="copy" /></button>
        <button type="button" className="icon-button" aria-pressed={!!query.hide} aria-label={query.hide ? `Show query ${query.refId}` : `Hide query ${query.refId}`}
          title={query.hide ? 'Show the query' : 'Hide the query'} onClick={() => onCommit({ ...query, hide: query.hide ? undefined : true })}>
          <Icon name={query.hide ? 'hidden' : 'eye'} />
        </button>
        {onRemove && <button type="button" className="icon-button" aria-label={`Remove query ${query.refId}`} title="Remove the query" onClick={onRemove}><Icon name="trash" /></button>}
      </div>
      {schema.error && <Failed error={schema.error} />}
      {source && !schema.isPending && (form && !asJSON
        ? <QueryForm key={source.type} form={form} source={source} query={query} onChange={onChange} onRun={onRun} />
        : <JSONQuery query={query} onChange={onChange} onRun={onRun} />)}
      {result?.error && <Failed error={new ApiError(result.error, result.status, result.errorSource)} />}
      {noticesOf(result).map((notice, i) => <p key={i} className={`notice ${notice.severity}`}>{notice.text}{notice.link && safe(notice.link) && <> <a href={safe(notice.link)} target="_blank" rel="noreferrer">more</a></>}</p>)}
    </fieldset>
  )
}

/** What the frames of an answer say beside their data, each once. */
function noticesOf(result?: Result): Notice[] {
  const notices = new Map(result?.frames.flatMap((frame) => frame.meta.notices ?? []).map((notice) => [`${notice.severity} ${notice.text}`, notice]))
  return [...notices.values()]
}

interface QueryShape {
  /** The field for text worth an editor, and its schema. */
  text?: { name: string; schema: Schema }
  /** The one that says most, if it is not that. */
  prominent?: string
  fields: Schema
}

/** What a plugin's schema says that the form of a query has, if it says that. */
function formOf(schema: PluginSchema, query: Query): QueryShape | undefined {
  const types = schema.queryTypes
  const type = types.find((t) => t.discriminators?.length && t.discriminators.every((d) => query[d.field] === d.value)) ?? types[0]
  if (!type?.schema.properties) return undefined
  const name = schema.queryText ?? ''
  const { [name]: text, ...others } = type.schema.properties
  if (text?.format !== 'multiline' && !text?.['x-plugboard-language']) return { fields: type.schema, prominent: name }
  return { text: { name, schema: text }, fields: { ...type.schema, properties: others } }
}

function QueryForm({ form, source, query, onChange, onRun }: { form: QueryShape; source: Source; query: Query; onChange: (query: Query) => void; onRun: () => void }) {
  const { text, fields, prominent } = form
  const set = (model: Record<string, unknown>) => onChange({ ...base(query), ...model })
  return (
    <>
      {text && (
        <TextEditor label={`Query ${query.refId}`} schema={text.schema} uid={source.uid} value={String(query[text.name] ?? '')} onRun={onRun}
          onChange={(value) => set({ ...modelOf(query), [text.name]: value })} />
      )}
      <FormFields fields={fields} prominent={prominent} uid={source.uid} model={modelOf(query)} onChange={set} onRun={onRun} />
    </>
  )
}

interface FormFieldsProps {
  fields: Schema
  prominent?: string
  uid: string
  model: Record<string, unknown>
  onChange: (model: Record<string, unknown>) => void
  onRun: () => void
}

/** The fields that are used; behind a click those that are not, and those of each group. */
function FormFields({ fields, prominent, uid, model, onChange, onRun }: FormFieldsProps) {
  // A field stays where it is while it is written.
  const [used] = useState(() => new Set(Object.keys(fields.properties ?? {}).filter((name) => name === prominent || name in model || fields.required?.includes(name))))
  const moved = ([name, field]: [string, Schema]): [string, Schema] => [name, field['x-plugboard-group'] || used.has(name) ? field : { ...field, 'x-plugboard-group': used.size ? 'More fields' : 'Fields' }]
  const properties = Object.fromEntries(Object.entries(fields.properties ?? {}).map(moved))
  return <Form parts={[{ schema: { ...fields, properties }, value: model, onChange }]} uid={uid} onRun={onRun} className="query-fields" />
}

/** What is not JSON stays what it is in the editor, and is not taken over. */
function JSONQuery({ query, onChange, onRun }: { query: Query; onChange: (query: Query) => void; onRun: () => void }) {
  const model = JSON.stringify(modelOf(query))
  const [text, setText] = useState('')
  const written = useRef('')
  useEffect(() => {
    // Not what was just written here, but what a step back or the history brought.
    if (model !== written.current) setText(JSON.stringify(JSON.parse(model), null, 2))
    written.current = model
  }, [model])
  const change = (text: string) => {
    setText(text)
    const read = readObject(text)
    if (!read) return
    const changed = { ...base(query), ...read }
    written.current = JSON.stringify(modelOf(changed))
    onChange(changed)
  }
  return <Editor label={`Query ${query.refId} as JSON`} language="json" value={text} onChange={change} onRun={onRun} />
}

const base = ({ refId, datasource, hide }: Query): Query => ({ refId, datasource, ...(hide && { hide }) })
