using System.Collections.Immutable;
using System.Text.Json;
using Serve.Rl.Environments;

namespace Serve.Rl.Tests.Environments;

/// <summary>Tables, start states, trajectories and text frames equal Gymnasium's.</summary>
public sealed class TabularEnvTests
{
    public static TheoryData<string, string> Files => new()
    {
        { "Taxi", "Taxi-v3" }, { "Taxi", "Taxi-v4" }, { "Taxi-rainy", "Taxi-v4" }, { "Taxi-fickle", "Taxi-v4" }, { "FrozenLake", "FrozenLake-v1" }, { "FrozenLake-dry", "FrozenLake-v1" },
        { "FrozenLake8x8", "FrozenLake8x8-v1" }, { "CliffWalking", "CliffWalking-v1" }, { "CliffWalkingSlippery", "CliffWalkingSlippery-v1" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Transitions_AllStatesAndActions_EqualGymnasium(string file, string id)
    {
        var (golden, env) = Open(file, id);
        var table = (TabularEnv)env.Unwrapped;
        var outcomes = golden.GetProperty("outcomes");
        var stride = golden.GetProperty("stride").GetInt32();

        foreach (var (index, row) in golden.GetProperty("table").EnumerateArray().Index())
        {
            Assert.Equal(row.GetArrayLength(), table.ActionCount);
            foreach (var (action, number) in row.Integers().Index())
            {
                Assert.Equal(
                    outcomes[number].EnumerateArray().Select(outcome => new TabularTransition(outcome[0].GetDouble(), outcome[1].GetInt32(), outcome[2].GetDouble(), outcome[3].GetInt32() == 1)),
                    table.Transitions(index * stride, action).ToArray());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Reset_Seeds_EqualGymnasium(string file, string id)
    {
        var (golden, env) = Open(file, id);

        Assert.Equal(golden.GetProperty("seeds").Integers(), Enumerable.Range(0, 20).Select(seed => env.Reset((ulong)seed).Observation));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Step_RandomActions_EqualGymnasium(string file, string id)
    {
        var (golden, env) = Open(file, id);
        var frames = golden.GetProperty("frames");

        Assert.Equal(golden.GetProperty("first").GetInt32(), env.Reset(123).Observation);
        Assert.Equal(frames[0].GetString(), env.Render());
        foreach (var (index, row) in golden.GetProperty("steps").EnumerateArray().Index())
        {
            var step = env.Step(row[0].GetInt32());

            Assert.Equal((row[1].GetInt32(), row[2].GetDouble(), row[3].GetInt32() == 1, row[4].GetInt32() == 1), (step.Observation, step.Reward, step.Terminated, step.Truncated));
            if (index + 1 < frames.GetArrayLength())
                Assert.Equal(frames[index + 1].GetString(), env.Render());
            if (step.Done)
                Assert.Equal(row[5].GetInt32(), env.Reset().Observation);
        }
    }

    [Fact]
    public void TaxiInfo_AllStates_HasGymnasiumsMaskAndStarts()
    {
        var golden = GoldenFile.Read("Taxi");

        Assert.Equal(golden.GetProperty("mask").EnumerateArray().Select(mask => mask.GetString()),
            Enumerable.Range(0, 500).Select(state => string.Concat(TaxiEnv.ActionMask(state).Select(isOpen => isOpen ? '1' : '0'))));
        Assert.Equal(golden.GetProperty("starts").Integers(), new TaxiEnv().StartStates);
        var (state, info) = new TaxiEnv().Reset(1);
        Assert.Equal(TaxiEnv.ActionMask(state), info.Get<ImmutableArray<bool>>("action_mask"));
        Assert.Equal(1.0, info["prob"]);
    }

    [Fact]
    public void Taxi_OptimalPolicy_HasMeanReturnOf793()
    {
        var env = new TaxiEnv();
        var values = new double[env.StateCount];
        for (var sweep = 0; sweep < 100; sweep++)
            values = [.. Enumerable.Range(0, env.StateCount).Select(state => Enumerable.Range(0, env.ActionCount).Max(action => Value(env.Transitions(state, action)[0])))];

        Assert.Equal(7.93, env.StartStates.Average(state => values[state]), 3);

        double Value(TabularTransition transition) => transition.Reward + (transition.Terminated ? 0 : values[transition.State]);
    }

    [Theory]
    [InlineData("SFX", "letters")]
    [InlineData("FFG", "start")]
    [InlineData("SF,G", "equal length")]
    public void FrozenLake_InvalidMap_Throws(string map, string reason) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new FrozenLakeEnv(map.Split(','))).Message, StringComparison.Ordinal);

    [Fact]
    public void Step_InvalidActionOrBeforeReset_Throws()
    {
        var env = new TaxiEnv();

        Assert.Contains("before the first Reset", Assert.Throws<InvalidOperationException>(() => env.Step(0)).Message, StringComparison.Ordinal);
        env.Reset(1);
        Assert.Contains("Action of TaxiEnv must be an element of Discrete(6), but was 6.", Assert.Throws<ArgumentException>(() => env.Step(6)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TaxiEnv(fickleProbability: 1.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TaxiEnv(isRainy: true, rainyProbability: -1));
    }

    private static (JsonElement Golden, Env<int, int> Env) Open(string file, string id)
    {
        var golden = GoldenFile.Read(file);
        return (golden, Gym.Make<int, int>(id, golden.GetProperty("arguments").Arguments()));
    }
}
