import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { request } from '../api/http.ts'
import { plugins, sources } from '../api/queries.ts'
import { Editor } from '../editor/Editor.tsx'
import { resourcesRoute } from '../router.tsx'
import { Icon } from '../ui/icons.tsx'
import { Empty, Failed } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'
import { readReply, type Reply } from './reply.ts'
import { ReplyView } from './ReplyView.tsx'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Calls the HTTP endpoints of a plugin. */
export default function Resources() {
  const search = resourcesRoute.useSearch()
  const navigate = useNavigate({ from: '/resources' })
  const known = useQuery(sources())
  const apps = useQuery(plugins()).data?.filter((p) => p.type === 'app') ?? []
  const [of, setOf] = useState(search.of)
  const [method, setMethod] = useState('GET')
  const [path, setPath] = useState(search.path ?? '')
  const [headers, setHeaders] = useState('')
  const [body, setBody] = useState('')
  const [state, setState] = useState<{ busy?: AbortController; error?: Error; reply?: Reply }>({})
  useTitle(search.path && `${search.path} of ${search.of}`, 'Resources')
  // Who leaves does not wait any longer.
  useEffect(() => () => state.busy?.abort(), [state.busy])
  const all = [...(known.data ?? []).map((s) => ({ id: `ds/${s.uid}`, name: s.name })), ...apps.map((p) => ({ id: `plugin/${p.id}`, name: p.name }))]
  const chosen = of ?? all[0]?.id ?? ''
  const call = async () => {
    if (state.busy) return
    const busy = new AbortController()
    setState({ busy })
    void navigate({ search: { of: chosen, path: path || undefined }, replace: true })
    try {
      setState({ reply: await ask({ of: chosen, path, method, headers, body }, busy.signal, (reply) => setState({ busy, reply })) })
    } catch (error) {
      setState(busy.signal.aborted ? {} : { error: error as Error })
    }
  }
  if (known.data && all.length === 0) return <Empty title="There is nothing to call"><p>Resources belong to data sources and apps, and there is none of either.</p></Empty>
  return (
    <div className="page">
      <header className="page-head"><h1>Resources</h1><p className="under quiet">The HTTP endpoints that plugins have beside their queries.</p></header>
      <form className="card resource-form" onSubmit={(event) => (event.preventDefault(), void call())}
        onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && (event.preventDefault(), void call())}>
        <select aria-label="Method" value={method} onChange={(event) => setMethod(event.target.value)}>{methods.map((m) => <option key={m}>{m}</option>)}</select>
        <select aria-label="Of" value={chosen} onChange={(event) => setOf(event.target.value)}>
          {of && !all.some((one) => one.id === of) && <option value={of}>{of}{known.data && ' (not there)'}</option>}
          {all.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </select>
        <input aria-label="Path" placeholder="path, perhaps with ?query" value={path} spellCheck={false} autoComplete="off" onChange={(event) => setPath(event.target.value)} />
        {/* Of two keys: one button that turns from the one into the other would send the form. */}
        {state.busy
          ? <button key="cancel" type="button" className="button" onClick={() => state.busy!.abort()}><Icon name="stop" />Cancel</button>
          : <button key="call" className="button primary" disabled={!chosen}><Icon name="play" />Call</button>}
        {method !== 'GET' && <div className="resource-body"><Editor label="Body" language="json" value={body} onChange={setBody} onRun={() => void call()} /></div>}
        <details className="more resource-body">
          <summary>Headers to send</summary>
          <textarea aria-label="Headers to send" rows={3} spellCheck={false} placeholder={'Accept: text/csv\nContent-Type: application/json'} value={headers} onChange={(event) => setHeaders(event.target.value)} />
        </details>
      </form>
      {state.error && <Failed error={state.error} />}
      {(state.reply || state.busy) && <ReplyView reply={state.reply} busy={state.busy !== undefined} name={path.split('?')[0].split('/').at(-1) || 'answer'} />}
    </div>
  )
}

interface Call {
  of: string
  path: string
  method: string
  headers: string
  body: string
}

async function ask({ of, path, method, headers, body }: Call, signal: AbortSignal, tell: (reply: Reply) => void): Promise<Reply> {
  const [kind, id] = of.split('/')
  const base = kind === 'ds' ? `/api/datasources/uid/${id}/resources/` : `/api/plugins/${id}/resources/`
  const sent = readHeaders(headers)
  const init: RequestInit = { method, signal, headers: sent, cache: 'no-store' }
  if (method !== 'GET' && body) {
    init.body = body
    if (!sent.has('Content-Type')) sent.set('Content-Type', 'application/json')
  }
  const start = performance.now()
  // Whatever the plugin answers is an answer.
  const everything = Array.from({ length: 200 }, (_, i) => 400 + i)
  const response = await request(base + path.replace(/^\/+/, ''), init, ...everything)
  // Unless it was not the plugin, because nobody knows who asks: this finds out.
  if (response.status === 401) await request('/api/user', { signal })
  return readReply(response, start, tell)
}

/** Headers, one a line. */
function readHeaders(text: string): Headers {
  const headers = new Headers()
  for (const line of text.split('\n').filter((line) => line.trim())) {
    const [, name, value] = /^\s*([^\s:]+)\s*:(.*)$/.exec(line) ?? []
    if (name === undefined) throw new Error(`“${line.trim()}” is no header: it is written as Name: value`)
    headers.append(name, value.trim())
  }
  return headers
}
