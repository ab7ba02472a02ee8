using System.Buffers;
using System.Text.Json;

namespace Serve.Runtime.State;

/// <summary>
/// Writes a timeline of tasks and calls in Chrome's trace event format (complete events <c>X</c>, metadata <c>M</c>), which chrome://tracing and Perfetto open.
/// </summary>
internal static class TimelineTraceWriter
{
    private const int FlushAt = 32 * 1024;

    /// <summary>Writes the timeline of a cluster.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="limit">Number of tasks, the newest ones; null for all.</param>
    /// <param name="output">Receives the document.</param>
    /// <param name="now">End of tasks that run.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static Task WriteAsync(Cluster cluster, int? limit, Stream output, DateTimeOffset now, CancellationToken cancellationToken) =>
        WriteAsync(limit is { } number ? cluster.ListTasks().Where(static task => task.StartTime is not null).TakeLast(number) : cluster.ListTasks(), cluster.ListActors(), cluster.ListWorkers(), Environment.ProcessId, output, now, cancellationToken);

    internal static async Task WriteAsync(
        IEnumerable<TaskState> tasks, IEnumerable<ActorState> actors, IReadOnlyList<WorkerState> workers, int ownPid, Stream output, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var rows = new TimelineRowLayout(actors, workers, ownPid);

        // Serializing directly to the output would flush it synchronously, which the output may not support.
        var buffer = new ArrayBufferWriter<byte>(2 * FlushAt);
        await using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartArray("traceEvents");
        foreach (var task in tasks.Where(task => task.StartTime is not null).OrderBy(task => task.StartTime))
        {
            WriteTask(json, task, rows, now);

            // Bytes that the writer has not flushed yet are not counted by the buffer.
            json.Flush();
            if (buffer.WrittenCount < FlushAt)
                continue;
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
            buffer.ResetWrittenCount();
        }

        foreach (var (process, name) in rows.Processes)
            WriteName(json, "process_name", process, thread: 0, name);
        foreach (var row in rows.Rows)
            WriteName(json, "thread_name", row.Process, row.Thread, row.Name);
        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken).ConfigureAwait(false);
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
    }

    private static void WriteTask(Utf8JsonWriter json, TaskState task, TimelineRowLayout rows, DateTimeOffset now)
    {
        var start = task.StartTime!.Value;
        var end = task.EndTime ?? now;
        if (end < start)
            end = start;
        var row = rows.RowOf(task, end);
        json.WriteStartObject();
        json.WriteString("name", task.Name);
        json.WriteString("cat", task.ActorId is null ? "task" : "actor_call");
        json.WriteString("ph", "X");
        json.WriteNumber("ts", Microseconds(start - DateTimeOffset.UnixEpoch));
        json.WriteNumber("dur", Microseconds(end - start));
        json.WriteNumber("pid", row.Process);
        json.WriteNumber("tid", row.Thread);
        if (ColorOf(task.State) is { } color)
            json.WriteString("cname", color);
        json.WritePropertyName("args");
        JsonSerializer.Serialize(json, task, ServeJson.State);
        json.WriteEndObject();
    }

    private static void WriteName(Utf8JsonWriter json, string kind, int process, int thread, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", kind);
        json.WriteString("ph", "M");
        json.WriteNumber("pid", process);
        json.WriteNumber("tid", thread);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Decimal: a double of microseconds since 1970 has a resolution of a quarter at best.
    private static decimal Microseconds(TimeSpan span) => (decimal)span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static string? ColorOf(TaskPhase phase) => phase switch
    {
        TaskPhase.Failed => "terrible",
        TaskPhase.Cancelled => "grey",
        _ => null,
    };
}
