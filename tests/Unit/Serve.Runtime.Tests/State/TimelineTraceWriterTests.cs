using System.Text.Json;
using Serve.Runtime.State;

namespace Serve.Runtime.Tests.State;

public sealed class TimelineTraceWriterTests
{
    private const int OwnPid = 77;
    private static readonly DateTimeOffset Zero = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task WriteAsync_Tasks_WritesCompleteEvents()
    {
        var events = await EventsAsync([Task("a", 0, 1.5) with { ParentTaskId = "p", State = TaskPhase.Failed, ErrorType = "E" }]);
        var task = Assert.Single(events, entry => Text(entry, "ph") == "X");
        Assert.Equal("work", Text(task, "name"));
        Assert.Equal("task", Text(task, "cat"));
        Assert.Equal((Zero - DateTimeOffset.UnixEpoch).Ticks / 10, task.GetProperty("ts").GetInt64());
        Assert.Equal(1500, task.GetProperty("dur").GetDouble());
        Assert.Equal(OwnPid, task.GetProperty("pid").GetInt32());
        var args = task.GetProperty("args");
        Assert.Equal(("a", "p", "FAILED", "E"), (Text(args, "task_id"), Text(args, "parent_task_id"), Text(args, "state"), Text(args, "error_type")));
    }

    [Fact]
    public async Task WriteAsync_ConcurrentTasks_UseSeparateRows()
    {
        var events = await EventsAsync([Task("a", 0, 10), Task("b", 5, 10), Task("c", 10, 5), Task("d", 15, 1)]);
        Assert.Equal([("a", 1), ("b", 2), ("c", 1), ("d", 1)], Rows(events));
        Assert.Equal(["tasks 1", "tasks 2"], Names(events, "thread_name"));
        Assert.Equal(["this process (77)"], Names(events, "process_name"));
    }

    [Fact]
    public async Task WriteAsync_ActorCalls_UseActorRow()
    {
        var events = await EventsAsync(
            [Task("a", 0, 10), Task("b", 2, 2) with { ActorId = "7" }, Task("c", 5, 2) with { ActorId = "7" }, Task("d", 6, 2) with { ActorId = "7" }],
            actors: [new() { ActorId = "7", ClassName = "Counter", Name = "c", State = ActorPhase.Alive }]);
        Assert.Equal([("a", 1), ("b", 2), ("c", 2), ("d", 3)], Rows(events));
        Assert.Equal(["tasks 1", "Counter 'c'", "Counter 'c' (2)"], Names(events, "thread_name"));
        Assert.Equal("actor_call", Text(events.First(entry => Text(entry, "ph") == "X" && entry.GetProperty("tid").GetInt32() == 2), "cat"));
    }

    [Fact]
    public async Task WriteAsync_Workers_AreSeparateProcessesEvenAfterExit()
    {
        var events = await EventsAsync(
            [Task("a", 0, 1) with { WorkerId = "w1" }, Task("b", 0, 1) with { WorkerId = "gone" }],
            workers: [new() { WorkerId = "w1", Pid = 4711, Purpose = "tasks" }]);
        Assert.Equal(["worker w1 (4711) tasks", "worker gone (ended)"], Names(events, "process_name"));
        Assert.Contains(events, entry => Text(entry, "ph") == "X" && entry.GetProperty("pid").GetInt32() == 4711);
    }

    [Fact]
    public async Task WriteAsync_RunningTask_ExtendsToNowAndWaitingIsOmitted()
    {
        var events = await EventsAsync([Task("a", 0, 0) with { EndTime = null, State = TaskPhase.Running }, new() { TaskId = "b", Name = "b", Function = "b", State = TaskPhase.PendingScheduling }]);
        Assert.Equal(60_000_000, Assert.Single(events, entry => Text(entry, "ph") == "X").GetProperty("dur").GetDouble());
    }

    [Fact]
    public async Task WriteAsync_ManyTasks_WritesValidDocument()
    {
        var events = await EventsAsync([.. Enumerable.Range(0, 5_000).Select(number => Task($"{number}", number, 0.5))]);
        Assert.Equal(5_000, events.Count(entry => Text(entry, "ph") == "X"));
        Assert.Equal(["tasks 1"], Names(events, "thread_name"));
    }

    private static async Task<List<JsonElement>> EventsAsync(TaskState[] tasks, ActorState[]? actors = null, WorkerState[]? workers = null)
    {
        using var output = new MemoryStream();
        await TimelineTraceWriter.WriteAsync(tasks, actors ?? [], workers ?? [], OwnPid, output, Zero.AddMinutes(1), CancellationToken.None);
        return [.. JsonDocument.Parse(output.ToArray()).RootElement.GetProperty("traceEvents").EnumerateArray()];
    }

    private static TaskState Task(string id, double start, double milliseconds) => new()
    {
        TaskId = id,
        Name = "work",
        Function = "Demo.Work",
        State = TaskPhase.Finished,
        StartTime = Zero.AddMilliseconds(start),
        EndTime = Zero.AddMilliseconds(start + milliseconds),
    };

    private static IEnumerable<(string?, int)> Rows(List<JsonElement> events) => events
        .Where(entry => Text(entry, "ph") == "X")
        .Select(entry => (Text(entry.GetProperty("args"), "task_id"), entry.GetProperty("tid").GetInt32()));

    private static IEnumerable<string?> Names(List<JsonElement> events, string kind) =>
        events.Where(entry => Text(entry, "name") == kind).Select(entry => Text(entry.GetProperty("args"), "name"));

    private static string? Text(JsonElement entry, string name) => entry.GetProperty(name).GetString();
}
