using System.Collections.Immutable;
using Serve.Cli.Verbs;

namespace Serve.Cli.Tests.Verbs;

/// <summary>Output of commands for a cluster with objects and workers.</summary>
public sealed class ClusterCommandOutputTests
{
    private static readonly ImmutableSortedDictionary<string, long> Bytes = ImmutableSortedDictionary<string, long>.Empty.Add("disk", 1024).Add("shared_memory", 3 << 20);

    [Fact]
    public void Memory_ObjectsAndWorkers_EachWithItsBytes()
    {
        var (text, error) = Written(console => ServeMemoryCommand.Write(console, new()
        {
            ObjectBytes = Bytes,
            Objects = [.. Enumerable.Range(0, 101).Select(number => new ObjectState { ObjectId = $"object{number:000}", Size = 2048, Location = "disk", CreatedBy = "Put" })],
            Pid = 7,
            ProcessBytes = 5 << 20,
            Workers = [new() { WorkerId = "worker-1", Pid = 8, Purpose = "tasks", Memory = 1536 }],
        }));

        Assert.Matches(@"object000 +2 KiB +disk +Put", text);
        Assert.DoesNotContain("object100", text, StringComparison.Ordinal);
        Assert.Equal("Showing the largest 100 of 101; use --json to list all.", error.Trim());
        Assert.EndsWith(
            string.Join(Environment.NewLine, "objects in disk: 1 KiB", "objects in shared_memory: 3 MiB", "process 7: 5 MiB", "worker worker-1 (pid 8): 1.5 KiB", ""), text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, true, true, true, true)]
    [InlineData("tasks", true, false, false, false)]
    [InlineData("actors", false, true, false, false)]
    [InlineData("objects", false, false, true, false)]
    public void Summary_Kind_ThatAndNothingElse(string? kind, bool tasks, bool actors, bool objects, bool resources)
    {
        var (text, _) = Written(console => ServeSummaryCommand.Write(console, new()
        {
            Tasks = ImmutableSortedDictionary<string, ImmutableSortedDictionary<TaskPhase, long>>.Empty.Add("Sums.Add", ImmutableSortedDictionary<TaskPhase, long>.Empty.Add(TaskPhase.Failed, 3)),
            Actors = ImmutableSortedDictionary<string, ImmutableSortedDictionary<ActorPhase, long>>.Empty.Add("Total", ImmutableSortedDictionary<ActorPhase, long>.Empty.Add(ActorPhase.Alive, 2)),
            Objects = Bytes.SetItem("disk", 4).SetItem("shared_memory", 5),
            ObjectBytes = Bytes,
            Resources = ImmutableSortedDictionary<string, ResourceUsage>.Empty.Add("tpu", new(Total: 9, Available: 6)),
        }, kind));

        Assert.Equal(tasks, Has(@"Sums\.Add +3"));
        Assert.Equal(actors, Has("Total +2"));
        Assert.Equal(objects, Has("disk +4 +1 KiB"));
        Assert.Equal(objects, Has("shared_memory +5 +3 MiB"));
        Assert.Equal(resources, Has("tpu +6 +9"));

        bool Has(string pattern) => System.Text.RegularExpressions.Regex.IsMatch(text, pattern);
    }

    private static (string Out, string Error) Written(Action<CommandConsole> write)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        write(new(output, error, IsInteractive: false));
        return (output.ToString(), error.ToString());
    }
}
