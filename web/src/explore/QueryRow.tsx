import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/http.ts'
import { pluginSchema } from '../api/queries.ts'
import type { PluginSchema, Schema, Source } from '../api/types.ts'
import { Editor } from '../editor/Editor.tsx'
import { useCompletion } from '../editor/complete.ts'
import { Fields } from '../form/Fields.tsx'
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
  onRemove?: () => void
}

/** One query: which data source, and what it is asked, as a form or as JSON. */
export function QueryRow({ query, sources, result, onChange, onCommit, onRun, onRemove }: QueryProps) {
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
        <button type="button" className="icon-button" aria-pressed={!!query.hide} aria-label={query.hide ? 'Show the query' : 'Hide the query'}
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
      {result?.frames.flatMap((frame) => frame.meta.notices ?? []).map((notice, i) => <p key={i} className={`notice ${notice.severity}`}>{notice.text}</p>)}
    </fieldset>
  )
}

interface Form {
  /** The field for text worth an editor. */
  text?: string
  /** The one that says most, if it is not that. */
  prominent?: string
  fields: Schema
}

/** What a plugin's schema says that the form of a query has, if it says that. */
function formOf(schema: PluginSchema, query: Query): Form | undefined {
  const types = schema.queryTypes
  const type = types.find((t) => t.discriminators?.length && t.discriminators.every((d) => query[d.field] === d.value)) ?? types[0]
  if (!type?.schema.properties) return undefined
  const { [schema.queryText ?? '']: text, ...others } = type.schema.properties
  if (text?.format !== 'multiline') return { fields: type.schema, prominent: schema.queryText }
  return { text: schema.queryText, fields: { ...type.schema, properties: others } }
}

function QueryForm({ form, source, query, onChange, onRun }: { form: Form; source: Source; query: Query; onChange: (query: Query) => void; onRun: () => void }) {
  const { text, fields, prominent } = form
  const language = text && /sql/i.test(text) ? 'sql' : 'text'
  const complete = useCompletion(source, language)
  const set = (model: Record<string, unknown>) => onChange({ ...base(query), ...model })
  return (
    <>
      {text && (
        <Editor label={`Query ${query.refId}`} language={language} value={String(query[text] ?? '')} complete={complete} onRun={onRun}
          onChange={(value) => set({ ...modelOf(query), [text]: value })} />
      )}
      <FormFields fields={fields} prominent={prominent} model={modelOf(query)} onChange={set} />
    </>
  )
}

/** The fields that are used, and behind a click those that are not. */
function FormFields({ fields, prominent, model, onChange }: { fields: Schema; prominent?: string; model: Record<string, unknown>; onChange: (model: Record<string, unknown>) => void }) {
  // A field stays where it is while it is written.
  const [used] = useState(() => new Set(Object.keys(fields.properties ?? {}).filter((name) => name === prominent || name in model || fields.required?.includes(name))))
  const part = (of: boolean): Schema => ({ ...fields, properties: Object.fromEntries(Object.entries(fields.properties ?? {}).filter(([name]) => used.has(name) === of)) })
  const rest = part(false)
  const count = Object.keys(rest.properties!).length
  return (
    <>
      {used.size > 0 && <div className="query-fields"><Fields schema={part(true)} value={model} onChange={onChange} /></div>}
      {count > 0 && (
        <details className="more" open={Object.keys(rest.properties!).some((name) => name in model) || undefined}>
          <summary>{used.size ? 'More fields' : 'Fields'} <span className="quiet">{count}</span></summary>
          <div className="query-fields"><Fields schema={rest} value={model} onChange={onChange} /></div>
        </details>
      )}
    </>
  )
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
