import process from 'node:process';
import { descriptorLimit, openDescriptors } from './descriptors.ts';
import type { InspectionOptions } from './inspection.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
class Text {
  readonly #lines: string[] = [];

  counter(name: string, help: string, samples: number | readonly Sample[]): this {
    return this.#metric('counter', name, help, samples);
  }

  gauge(name: string, help: string, samples: number | readonly Sample[]): this {
    return this.#metric('gauge', name, help, samples);
  }

  #metric(type: string, name: string, help: string, samples: number | readonly Sample[]): this {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of typeof samples === 'number' ? [[{}, samples] as const] : samples) this.#lines.push(`${name}${written(labels)} ${value}`);
    return this;
  }

  finish(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** How the hub is, for Prometheus. Names stay what they are from version to version. */
export function metricsText(options: Omit<InspectionOptions, 'tokens'>): string {
  const text = new Text();
  ofRequests(text, options);
  ofContents(text, options);
  ofProcess(text);
  return text.finish();
}

function ofRequests(text: Text, { counters, admission, held, service, isWell }: Omit<InspectionOptions, 'tokens'>): void {
  const requests = [...counters.requests].flatMap(([operation, outcomes]) => [...outcomes].map(([outcome, count]) => [{ operation, outcome }, count] as const));
  text
    .gauge('holdfast_hub_up', 'Whether the hub takes requests.', Number(isWell()))
    .gauge('holdfast_hub_start_time_seconds', 'When the hub started, in seconds since 1970.', counters.started / 1000)
    .counter('holdfast_hub_requests_total', 'Requests, by operation and how they ended.', requests)
    .counter('holdfast_hub_token_requests_total', 'Requests, by the name of the token.', [...counters.byToken].map(([token, count]) => [{ token }, count] as const))
    .gauge('holdfast_hub_connections', 'Connections that are open.', admission()?.open ?? 0)
    .counter('holdfast_hub_connections_refused_total', 'Connections that were closed for want of room.', admission()?.refused ?? 0)
    .gauge('holdfast_hub_waiting_requests', 'Requests that wait for news.', service.state.waiting.requests)
    .gauge('holdfast_hub_watched_logs', 'Names of logs that requests wait for news of.', service.state.waiting.names)
    .gauge('holdfast_hub_held_bytes', 'Memory for requests and answers that are under way, in bytes.', held())
    .counter('holdfast_hub_received_bytes_total', 'Bytes of requests.', counters.bytesIn)
    .counter('holdfast_hub_sent_bytes_total', 'Bytes of answers.', counters.bytesOut);
}

function ofContents(text: Text, { counters, service }: Omit<InspectionOptions, 'tokens'>): void {
  const { logs, loaded } = service.state;
  text
    .gauge('holdfast_hub_logs', 'Logs that the hub has.', logs)
    .gauge('holdfast_hub_loaded_logs', 'Logs whose entries are in memory.', loaded.logs)
    .gauge('holdfast_hub_loaded_bytes', 'Memory of the logs that are loaded, in bytes.', loaded.bytes)
    .counter('holdfast_hub_appended_entries_total', 'Entries of appends, those included that were there already.', counters.entriesAppended)
    .counter('holdfast_hub_appended_bytes_total', 'Bytes of those entries.', counters.bytesAppended)
    .counter('holdfast_hub_read_entries_total', 'Entries that were read.', counters.entriesRead)
    .counter('holdfast_hub_read_bytes_total', 'Bytes of those entries.', counters.bytesRead)
    .counter('holdfast_hub_snapshots_put_total', 'Snapshots that were put.', counters.snapshotsPut)
    .counter('holdfast_hub_blobs_put_total', 'Blobs that were put, those included that were there already.', counters.blobsPut)
    .counter('holdfast_hub_blobs_removed_total', 'Blobs that were collected.', counters.blobsRemoved);
}

function ofProcess(text: Text): void {
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const open = openDescriptors();
  text.gauge('process_resident_memory_bytes', 'Resident memory, in bytes.', rss).counter('process_cpu_seconds_total', 'Processor time, in seconds.', (user + system) / 1e6);
  if (open !== null) text.gauge('process_open_fds', 'Descriptors that are open.', open);
  text.gauge('process_max_fds', 'Descriptors that may be open.', Math.min(descriptorLimit(), 2 ** 31));
}
