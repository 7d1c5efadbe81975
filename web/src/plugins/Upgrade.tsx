import { useState } from 'react'
import { upgradePlugin, type Switched } from '../api/queries.ts'
import type { Plugin } from '../api/types.ts'
import { formatBytes } from '../frame/format.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Elapsed } from '../ui/Elapsed.tsx'
import { Failed } from '../ui/states.tsx'

interface UpgradeProps {
  plugin: Plugin
  onClose: () => void
  onDone: (switched: Switched, began: number) => void
}

/** Takes the file of a new version, and sends it. */
export function Upgrade({ plugin, onClose, onDone }: UpgradeProps) {
  const [file, setFile] = useState<File>()
  const [sent, setSent] = useState<number>()
  const [error, setError] = useState<Error>()
  const send = async (file: File) => {
    setSent(0)
    setError(undefined)
    try {
      const began = performance.now()
      onDone(await upgradePlugin(plugin.id, file, setSent), began)
      onClose()
    } catch (error) {
      setError(error as Error)
      setSent(undefined)
    }
  }
  const busy = sent !== undefined
  return (
    <Dialog title={`Upgrade ${plugin.name}`} onClose={() => busy || onClose()}>
      <p>The new version is started beside {plugin.info.version}, and takes its place if it answers and no data source is worse off. If it crashes within a minute, the server goes back by itself.</p>
      <form className="upgrade" onSubmit={(event) => (event.preventDefault(), file && void send(file))}>
        <div className="field">
          <label htmlFor="package">Zip file of the new version</label>
          <input id="package" type="file" accept=".zip,application/zip" required disabled={busy} aria-describedby="package-about" onChange={(event) => (setFile(event.target.files?.[0]), setError(undefined))} />
          <small id="package-about">It has to be signed by somebody whom the server trusts.</small>
        </div>
        {error && <Failed error={error}><p className="quiet">Nothing has changed: it stays with {plugin.info.version}.</p></Failed>}
        {busy && file && (
          <p className="switching" role="status">
            <span className="spinner" /><span>{sent < 1 ? `${Math.round(sent * 100)} % of ${formatBytes(file.size)} is sent.` : 'Its signature is checked, it is started and tried with every data source.'}</span><Elapsed />
          </p>
        )}
        <div className="buttons">
          <button className="button primary" disabled={busy || !file}>Upgrade</button>
          <button type="button" className="button" disabled={busy} onClick={onClose}>Keep {plugin.info.version}</button>
        </div>
      </form>
    </Dialog>
  )
}
