import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { client, plugins, source as sourceQuery } from '../api/queries.ts'
import { sendJSON } from '../api/http.ts'
import type { Plugin, SourceSettings } from '../api/types.ts'
import { newSourceRoute } from '../router.tsx'
import { Filter, matches } from '../ui/Filter.tsx'
import { Logo } from '../ui/Logo.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'
import { toast } from '../ui/toast.tsx'
import { copyOf, emptyDraft, type Draft } from './draft.ts'
import { SourceForm } from './SourceForm.tsx'

/** Adds a data source: first of which plugin, then how it is configured. */
export default function NewSource() {
  const { plugin: chosen, from } = newSourceRoute.useSearch()
  const all = useQuery(plugins())
  const original = useQuery({ ...sourceQuery(from ?? ''), enabled: from !== undefined })
  useTitle('Add a data source')
  const error = all.data ? original.error : all.error
  if (error) return <div className="page"><Failed error={error} again={() => void (all.data ? original : all).refetch()}><p><Link to="/datasources">All data sources</Link></p></Failed></div>
  if (!all.data || (from && original.isPending)) return <Loading />
  const offered = all.data.filter((p) => p.type === 'datasource' && p.process.state !== 'no backend')
  const plugin = all.data.find((p) => p.id === (original.data?.type ?? chosen))
  return plugin ? <Configure key={plugin.id} plugin={plugin} copied={original.data} /> : <Choose offered={offered} />
}

function Choose({ offered }: { offered: Plugin[] }) {
  const [text, setText] = useState('')
  const found = offered.filter((p) => matches(`${p.name} ${p.id} ${p.info.description}`, text))
  return (
    <div className="page">
      <header className="page-head">
        <nav className="crumbs" aria-label="Above"><Link to="/datasources">Data sources</Link></nav>
        <h1>Add a data source</h1>
        <p className="under quiet">Which plugin is to ask it?</p>
        {offered.length > 8 && <Filter label="Filter plugins" value={text} onChange={setText} />}
      </header>
      {offered.length === 0 && <Empty title="No plugin for data sources is installed"><p>The server looks for plugins in the folders of <code>--plugins</code>.</p></Empty>}
      {offered.length > 0 && found.length === 0 && <p className="hint" role="status">No plugin has that in its name or description.</p>}
      <ul className="cards">
        {found.map((p) => (
          <li key={p.id}>
            <Link className="card" to="/datasources/new" search={{ plugin: p.id }}>
              <span className="card-title"><Logo url={p.info.logos.small} /><b>{p.name}</b></span>
              <span className="quiet">{p.info.description || p.id}</span>
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
    client.setQueryData(sourceQuery(datasource.uid).queryKey, datasource)
    void client.invalidateQueries({ queryKey: ['sources'], exact: true })
    toast(`${datasource.name} is added`)
    await navigate({ to: '/datasources/$uid', params: { uid: datasource.uid }, replace: true, ignoreBlocker: true, state: { isNew: true } })
    return datasource
  }
  return (
    <div className="page">
      <header className="page-head">
        <nav className="crumbs" aria-label="Above"><Link to="/datasources">Data sources</Link><Link to="/datasources/new">Add</Link></nav>
        <Logo url={plugin.info.logos.small} />
        <h1>New data source: {plugin.name}</h1>
        <p className="under quiet">{copied ? `A copy of ${copied.name}, without its secrets: those cannot be read.` : plugin.info.description}</p>
      </header>
      <SourceForm type={plugin.id} initial={copied ? copyOf(copied) : emptyDraft(plugin)} onSave={create} />
    </div>
  )
}
