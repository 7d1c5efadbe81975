import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { sendJSON } from '../api/http.ts'
import { client, plugins, source as sourceQuery } from '../api/queries.ts'
import type { SourceSettings } from '../api/types.ts'
import { paneOf } from '../explore/state.ts'
import { StateBadge } from '../ui/Badge.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { draftOf, type Draft } from './draft.ts'
import { SourceForm } from './SourceForm.tsx'

export default function Source() {
  const { uid } = useParams({ from: '/datasources/$uid' })
  const kept = useQuery(sourceQuery(uid))
  if (kept.error && !kept.data) return <div className="page"><Failed error={kept.error}><p><Link to="/datasources">All data sources</Link></p></Failed></div>
  return kept.data ? <Edit key={uid} kept={kept.data} /> : <Loading />
}

function Edit({ kept }: { kept: SourceSettings }) {
  const plugin = useQuery(plugins()).data?.find((p) => p.id === kept.type)
  const [deleting, setDeleting] = useState(false)
  const save = async (draft: Draft) => {
    const { datasource } = await sendJSON<{ datasource: SourceSettings }>('PUT', `/api/datasources/uid/${encodeURIComponent(kept.uid)}`, draft)
    await client.invalidateQueries({ queryKey: ['sources'] })
    toast('Saved')
    return datasource.uid
  }
  return (
    <div className="page">
      <header className="page-head">
        <h1>{kept.name}</h1>
        {plugin && <><Link to="/plugins/$id" params={{ id: plugin.id }}>{plugin.name}</Link><StateBadge state={plugin.process.state} /></>}
        <span className="spread" />
        <div className="buttons">
          <Link className="button" to="/explore" search={{ panes: [paneOf(kept.uid)] }}><Icon name="explore" />Explore</Link>
          <Link className="button" to="/datasources/new" search={{ from: kept.uid }}><Icon name="copy" />Duplicate</Link>
          {!kept.readOnly && <button type="button" className="button danger" onClick={() => setDeleting(true)}><Icon name="trash" />Delete</button>}
        </div>
      </header>
      {kept.readOnly && <p className="notice info"><Icon name="lock" />It comes from a provisioning file of the server, and is changed there: <code>kill -HUP</code> reads the files again.</p>}
      <SourceForm key={kept.version} type={kept.type} initial={{ ...draftOf(kept), uid: kept.uid }} kept={kept.secureJsonFields} readOnly={kept.readOnly} onSave={save} />
      {deleting && <Delete kept={kept} onClose={() => setDeleting(false)} />}
    </div>
  )
}

function Delete({ kept, onClose }: { kept: SourceSettings; onClose: () => void }) {
  const navigate = useNavigate()
  const [error, setError] = useState<Error>()
  const go = async () => {
    try {
      await sendJSON('DELETE', `/api/datasources/uid/${encodeURIComponent(kept.uid)}`)
    } catch (error) {
      setError(error as Error)
      return
    }
    toast(`${kept.name} is deleted`)
    await navigate({ to: '/datasources' })
    client.removeQueries({ queryKey: sourceQuery(kept.uid).queryKey })
    await client.invalidateQueries({ queryKey: ['sources'] })
  }
  return (
    <Dialog title={`Delete ${kept.name}?`} onClose={onClose}>
      <p>Its settings and its secrets are gone for good. Links, scripts and dashboards that ask <code>{kept.uid}</code> fail from then on.</p>
      {error && <Failed error={error} />}
      <div className="buttons">
        <button type="button" className="button danger primary" onClick={go}>Delete</button>
        <button type="button" className="button" onClick={onClose}>Keep it</button>
      </div>
    </Dialog>
  )
}
