import { useQuery } from '@tanstack/react-query'
import { Link, useLocation, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { sendJSON } from '../api/http.ts'
import { client, plugins, source as sourceQuery } from '../api/queries.ts'
import type { SourceSettings } from '../api/types.ts'
import { paneOf } from '../explore/state.ts'
import { StateBadge } from '../ui/Badge.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'
import { toast } from '../ui/toast.tsx'
import { draftOf, type Draft } from './draft.ts'
import { SourceForm } from './SourceForm.tsx'

export default function Source() {
  const { uid } = useParams({ from: '/datasources/$uid' })
  const kept = useQuery(sourceQuery(uid))
  if (kept.error && !kept.data) return <div className="page"><Failed error={kept.error} again={() => void kept.refetch()}><p><Link to="/datasources">All data sources</Link></p></Failed></div>
  return kept.data ? <Edit key={uid} kept={kept.data} /> : <Loading />
}

function Edit({ kept }: { kept: SourceSettings }) {
  const plugin = useQuery(plugins()).data?.find((p) => p.id === kept.type)
  const isNew = useLocation().state.isNew
  const [deleting, setDeleting] = useState(false)
  useTitle(kept.name, 'Data sources')
  const save = async (draft: Draft) => {
    const { datasource } = await sendJSON<{ datasource: SourceSettings }>('PUT', `/api/datasources/uid/${encodeURIComponent(kept.uid)}`, draft)
    client.setQueryData(sourceQuery(kept.uid).queryKey, datasource)
    void client.invalidateQueries({ queryKey: ['sources'], exact: true })
    toast('Saved')
    return datasource
  }
  return (
    <div className="page">
      <header className="page-head">
        <nav className="crumbs" aria-label="Above"><Link to="/datasources">Data sources</Link></nav>
        <h1>{kept.name}</h1>
        <p className="under">
          {plugin ? <><Link to="/plugins/$id" params={{ id: plugin.id }}>{plugin.name}</Link><StateBadge state={plugin.process.state} /></> : kept.type}
          <code className="quiet" title="UID">{kept.uid}</code>
        </p>
        <div className="buttons">
          <Link className="button" to="/explore" search={{ panes: [paneOf(kept.uid)] }}><Icon name="explore" />Explore</Link>
          <Link className="button" to="/datasources/new" search={{ from: kept.uid }}><Icon name="copy" />Duplicate</Link>
          {!kept.readOnly && <button type="button" className="button danger" onClick={() => setDeleting(true)}><Icon name="trash" />Delete</button>}
        </div>
      </header>
      {kept.readOnly && (
        <p className="notice info">
          <Icon name="lock" />It comes from the provisioning file {kept.provenance ? <code>{kept.provenance}</code> : 'of the server'}, and is changed there. The server reads it again when it starts, or on <code>SIGHUP</code>.
        </p>
      )}
      <SourceForm type={kept.type} initial={draftOf(kept)} kept={kept} testFirst={isNew} onSave={save} />
      {deleting && <Delete kept={kept} onClose={() => setDeleting(false)} />}
    </div>
  )
}

function Delete({ kept, onClose }: { kept: SourceSettings; onClose: () => void }) {
  const navigate = useNavigate()
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const go = async () => {
    setBusy(true)
    try {
      await sendJSON('DELETE', `/api/datasources/uid/${encodeURIComponent(kept.uid)}`)
    } catch (error) {
      setError(error as Error)
      setBusy(false)
      return
    }
    toast(`${kept.name} is deleted`)
    await navigate({ to: '/datasources', ignoreBlocker: true })
    client.removeQueries({ queryKey: sourceQuery(kept.uid).queryKey })
    await client.invalidateQueries({ queryKey: ['sources'] })
  }
  return (
    <Dialog title="Delete this data source?" onClose={onClose}>
      <p><b>{kept.name}</b></p>
      <p>Its settings and its secrets are gone for good. Links, scripts and dashboards that ask <code>{kept.uid}</code> fail from then on.</p>
      {error && <Failed error={error} />}
      <div className="buttons">
        <button type="button" className="button danger primary" disabled={busy} onClick={go}>Delete</button>
        <button type="button" className="button" data-first onClick={onClose}>Keep it</button>
      </div>
    </Dialog>
  )
}
