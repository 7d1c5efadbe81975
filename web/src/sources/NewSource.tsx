import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { client, plugins, source as sourceQuery } from '../api/queries.ts'
import { sendJSON } from '../api/http.ts'
import type { Plugin, SourceSettings } from '../api/types.ts'
import { newSourceRoute } from '../router.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { draftOf, emptyDraft, type Draft } from './draft.ts'
import { SourceForm } from './SourceForm.tsx'

/** Adds a data source: first of which plugin, then how it is configured. */
export default function NewSource() {
  const { plugin: chosen, from } = newSourceRoute.useSearch()
  const all = useQuery(plugins())
  const original = useQuery({ ...sourceQuery(from ?? ''), enabled: from !== undefined })
  if (all.error) return <Failed error={all.error} />
  if (!all.data || (from && original.isPending)) return <Loading />
  const offered = all.data.filter((p) => p.type === 'datasource' && p.process.state !== 'no backend')
  const plugin = all.data.find((p) => p.id === (original.data?.type ?? chosen))
  return plugin ? <Configure key={plugin.id} plugin={plugin} copied={original.data} /> : <Choose offered={offered} />
}

function Choose({ offered }: { offered: Plugin[] }) {
  return (
    <div className="page">
      <header className="page-head">
        <h1>Add a data source</h1>
        <p className="quiet">Which plugin is to ask it?</p>
      </header>
      {offered.length === 0 && <Empty title="No plugin for data sources is installed"><p>The server looks for plugins in the folders of <code>--plugins</code>.</p></Empty>}
      <ul className="cards">
        {offered.map((p) => (
          <li key={p.id}>
            <Link className="card" to="/datasources/new" search={{ plugin: p.id }}>
              <span className="card-title"><Logo url={p.info.logos.small} /><b>{p.name}</b></span>
              <span className="quiet">{p.info.description}</span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Configure({ plugin, copied }: { plugin: Plugin; copied?: SourceSettings }) {
  const navigate = useNavigate()
  const create = async (draft: Draft) => {
    const { datasource } = await sendJSON<{ datasource: SourceSettings }>('POST', '/api/datasources', draft)
    await client.invalidateQueries({ queryKey: ['sources'] })
    await navigate({ to: '/datasources/$uid', params: { uid: datasource.uid }, replace: true })
    return datasource.uid
  }
  const initial = copied ? { ...draftOf(copied), name: `${copied.name} (copy)`, isDefault: false, version: undefined } : emptyDraft(plugin)
  return (
    <div className="page">
      <header className="page-head">
        <Logo url={plugin.info.logos.small} />
        <h1>New data source: {plugin.name}</h1>
        <p className="quiet">{copied ? `A copy of ${copied.name}, without its secrets: those cannot be read.` : plugin.info.description}</p>
      </header>
      <SourceForm type={plugin.id} initial={initial} isNew onSave={create} />
    </div>
  )
}
