// A plugin's own metrics, as it answers them in Prometheus' text.

/** What a process uses and does, up to one moment. */
export interface Sample {
  /** Unix milliseconds. */
  at: number
  cpuSeconds?: number
  memory?: number
  requests: number
  failed: number
}

const line = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/

export function readSample(text: string, at: number): Sample {
  const sample: Sample = { at, requests: 0, failed: 0 }
  for (const row of text.split('\n')) {
    const [, name, labels = '', value] = line.exec(row) ?? []
    switch (name) {
      case 'process_cpu_seconds_total': sample.cpuSeconds = Number(value); break
      case 'process_resident_memory_bytes': sample.memory = Number(value); break
      case 'grafana_plugin_request_total':
        sample.requests += Number(value)
        if (!labels.includes('status="ok"')) sample.failed += Number(value)
    }
  }
  return sample
}

/** What was used and done a second between samples; a counter that fell is another process's. */
export function rates(samples: Sample[], of: (sample: Sample) => number | undefined): (number | null)[] {
  return samples.map((sample, i) => {
    const now = of(sample)
    const before = samples[i - 1] && of(samples[i - 1])
    if (now === undefined || before === undefined || now < before) return null
    return ((now - before) * 1000) / (sample.at - samples[i - 1].at)
  })
}
