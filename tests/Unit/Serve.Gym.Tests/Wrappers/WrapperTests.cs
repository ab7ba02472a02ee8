using Serve.Rl.Environments;
using Serve.Rl.Spaces;
using Serve.Rl.Wrappers;

namespace Serve.Rl.Tests.Wrappers;

public sealed class WrapperTests
{
    [Fact]
    public void NormalizeObservation_Trajectory_EqualsGymnasium()
    {
        var env = new NormalizeObservation<float[]>(new MountainCarContinuousEnv());
        var observation = env.Reset(5).Observation;
        foreach (var row in GoldenFile.Read("wrappers").GetProperty("observation").EnumerateArray())
        {
            if (row.GetArrayLength() > 1)
                observation = env.Step([(float)row[2].GetDouble()]).Observation;

            Assert.All(row[0].Floats().Zip(observation), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }

        env.UpdateRunningMean = false;
        Assert.Equal(env.Reset(6).Observation, env.Reset(6).Observation);
    }

    [Fact]
    public void NormalizeReward_Trajectory_EqualsGymnasium()
    {
        var env = new NormalizeReward<float[], float[]>(new MountainCarContinuousEnv());
        env.Reset(5);
        foreach (var row in GoldenFile.Read("wrappers").GetProperty("reward").EnumerateArray().Skip(1))
            Assert.Equal(row[1].GetDouble(), env.Step([(float)row[2].GetDouble()]).Reward, 1e-6);

        Assert.Throws<ArgumentOutOfRangeException>(() => new NormalizeReward<float[], float[]>(new PendulumEnv(), gamma: 1.5));
    }

    [Fact]
    public void TimeLimit_Reached_TruncatesAndKeepsTermination()
    {
        var env = new TimeLimit<int, int>(new CliffWalkingEnv(), 14);
        env.Reset();
        int[] path = [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        foreach (var action in path)
            Assert.False(env.Step(action).Done);
        Assert.Equal((true, false), (env.Step(2) is var last && last.Terminated, last.Truncated));

        var shorter = new TimeLimit<int, int>(new CliffWalkingEnv(), 13);
        shorter.Reset();
        foreach (var action in path)
            shorter.Step(action);
        Assert.Equal((true, true), (shorter.Step(2) is var end && end.Terminated, end.Truncated));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TimeLimit<int, int>(new TaxiEnv(), 0));
    }

    [Fact]
    public void ClipAction_OutOfBounds_IsClipped()
    {
        var (clipped, bare) = (new ClipAction<float[]>(new MountainCarContinuousEnv()), new MountainCarContinuousEnv());
        clipped.Reset(1);
        bare.Reset(1);

        Assert.Equal(bare.Step([1]).Reward, clipped.Step([7]).Reward);
        Assert.True(clipped.ActionSpace.Contains([100f]));
        Assert.Contains("must have 1 elements, but had 2", Assert.Throws<ArgumentException>(() => clipped.Step([1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FrameStack_Steps_KeepsTheLastObservations()
    {
        var (env, bare) = (new FrameStack<int>(new CartPoleEnv(), 3), new CartPoleEnv());
        var first = bare.Reset(1).Observation;
        Assert.Equal([.. first, .. first, .. first], env.Reset(1).Observation);

        var second = bare.Step(1).Observation;
        Assert.Equal([.. first, .. first, .. second], env.Step(1).Observation);
        Assert.Equal([3, 4], ((Box)env.ObservationSpace).Shape);
        Assert.True(env.ObservationSpace.Contains(env.Step(0).Observation));
    }

    [Fact]
    public void RecordEpisodeStatistics_EpisodesEnd_AreReportedAndKept()
    {
        var env = new RecordEpisodeStatistics<int, int>(new TimeLimit<int, int>(new TaxiEnv(), 3), bufferLength: 2);
        for (var episode = 0; episode < 3; episode++)
        {
            env.Reset(1);
            Assert.Null(env.Step(5).Info["episode"]);
            env.Step(0);

            Assert.Equal(new EpisodeStatistics(-12, 3), env.Step(0).Info.Get<EpisodeStatistics>("episode"));
        }

        Assert.Equal(2, env.Episodes.Count);
    }

    [Fact]
    public void Dispose_Wrapper_DisposesTheEnvironment()
    {
        var inner = new DisposableEnv();

        new TimeLimit<int, int>(inner, 5).Dispose();

        Assert.True(inner.IsDisposed);
    }

    private sealed class DisposableEnv : Env<int, int>
    {
        public bool IsDisposed { get; private set; }

        public override Space<int> ObservationSpace { get; } = new Discrete(1);

        public override Space<int> ActionSpace { get; } = new Discrete(1);

        public override (int Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null) => (0, EnvInfo.Empty);

        public override StepResult<int> Step(int action) => new(0, 0, false, false, EnvInfo.Empty);

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
