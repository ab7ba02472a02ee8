using Serve.Runtime.State;

namespace Serve.Runtime.Tests.State;

public sealed class ClusterStateSummarizerTests
{
    [Fact]
    public async System.Threading.Tasks.Task Summarize_TasksOfSeveralFunctions_CountsEachByState()
    {
        await using var cluster = new FakeRuntimeCluster();
        cluster.Tasks.AddRange([Task("Demo.Add", TaskPhase.Finished), Task("Demo.Add", TaskPhase.Finished), Task("Demo.Add", TaskPhase.Failed), Task("Demo.Mul", TaskPhase.Running)]);
        cluster.Actors.Add(new() { ActorId = "1", ClassName = "Counter", State = ActorPhase.Alive });
        cluster.Objects.AddRange([Object(10, "memory"), Object(5, "memory"), Object(7, "disk")]);
        var summary = ClusterStateSummarizer.Summarize(cluster);
        Assert.Equal(["Demo.Add", "Demo.Mul"], summary.Tasks.Keys);
        Assert.Equal(2, summary.Tasks["Demo.Add"][TaskPhase.Finished]);
        Assert.Equal(1, summary.Tasks["Demo.Add"][TaskPhase.Failed]);
        Assert.Equal(1, summary.Actors["Counter"][ActorPhase.Alive]);
        Assert.Equal((2, 1), (summary.Objects["memory"], summary.Objects["disk"]));
        Assert.Equal((15, 7), (summary.ObjectBytes["memory"], summary.ObjectBytes["disk"]));
        Assert.Equal(new ResourceUsage(4, 1.5), summary.Resources["CPU"]);
        Assert.Equal(
            ["CPU: 1.5 of 4 free", "task Demo.Add: 2 Finished, 1 Failed", "task Demo.Mul: 1 Running", "actor Counter: 1 Alive", "objects in disk: 1, 7 bytes", "objects in memory: 2, 15 bytes"],
            $"{summary}".Split(Environment.NewLine));
    }

    [Fact]
    public async System.Threading.Tasks.Task Memory_Objects_LargestFirst()
    {
        await using var cluster = new FakeRuntimeCluster();
        cluster.Objects.AddRange([Object(1, "memory"), Object(30, "disk"), Object(2, "memory")]);
        var memory = ClusterStateSummarizer.SummarizeMemory(cluster);
        Assert.Equal([30L, 2, 1], memory.Objects.Select(entry => entry.Size));
        Assert.Equal(3, memory.ObjectBytes["memory"]);
        Assert.True(memory.ProcessBytes > 0);
    }

    private static TaskState Task(string function, TaskPhase phase) => new() { TaskId = "1", Name = function, Function = function, State = phase };

    private static ObjectState Object(long size, string location) => new() { ObjectId = "1", Size = size, Location = location };
}
