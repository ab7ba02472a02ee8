using System.Text.Json;
using Serve.Rl.Environments;

namespace Serve.Rl.Tests.Environments;

/// <summary>Each step from the recorded state is within 1e-6 of Gymnasium's, and resets are equal.</summary>
public sealed class ClassicControlEnvTests
{
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData("CartPole-v1")]
    [InlineData("MountainCar-v0")]
    [InlineData("Acrobot-v1")]
    public void Step_DiscreteActions_EqualsGymnasium(string id) => Replay<int>(id, action => action.GetInt32());

    [Theory]
    [InlineData("MountainCarContinuous-v0")]
    [InlineData("Pendulum-v1")]
    public void Step_ContinuousActions_EqualsGymnasium(string id) => Replay<float[]>(id, action => [(float)action.GetDouble()]);

    private static void Replay<TAct>(string id, Func<JsonElement, TAct> read)
        where TAct : notnull
    {
        var golden = GoldenFile.Read(id);
        var env = Gym.Make<float[], TAct>(id);
        var bare = (ClassicControlEnv<TAct>)env.Unwrapped;

        AssertClose(golden.GetProperty("observation"), env.Reset(golden.GetProperty("seed").GetUInt64()).Observation);
        AssertState(golden.GetProperty("state"), bare.State!);
        var (steps, ends) = (0, 0);
        foreach (var row in golden.GetProperty("steps").EnumerateArray())
        {
            var step = env.Step(read(row[0]));

            steps++;
            AssertClose(row[1], step.Observation);
            Assert.Equal(row[2].GetDouble(), step.Reward, Tolerance);
            Assert.Equal((row[3].GetInt32() == 1, row[4].GetInt32() == 1), (step.Terminated, step.Truncated));
            AssertState(row[5], bare.State!);
            if (!step.Done)
            {
                bare.State = row[5].Doubles();
                continue;
            }

            ends++;
            AssertClose(row[6], env.Reset().Observation);
            AssertState(row[7], bare.State!);
        }

        Assert.InRange(steps, 150, 600);
        Assert.Equal(id switch { "CartPole-v1" => true, "MountainCar-v0" => true, "Pendulum-v1" => true, _ => false }, ends > 0);
    }

    [Fact]
    public void Step_CartPoleWithoutCorrection_StaysCloseToGymnasium()
    {
        var golden = GoldenFile.Read("CartPole-v1");
        var env = Gym.Make<float[], int>("CartPole-v1");
        env.Reset(11);
        foreach (var row in golden.GetProperty("steps").EnumerateArray())
        {
            var step = env.Step(row[0].GetInt32());

            AssertClose(row[1], step.Observation);
            if (step.Done)
                env.Reset();
        }
    }

    [Fact]
    public void Blackjack_RandomActions_EqualsGymnasium()
    {
        foreach (var rules in GoldenFile.Read("Blackjack-v1").EnumerateArray())
        {
            var env = Gym.Make<object[], int>("Blackjack-v1", rules.GetProperty("arguments").Arguments());

            Assert.Equal(rules.GetProperty("first").Integers(), env.Reset(3).Observation.Cast<int>());
            foreach (var row in rules.GetProperty("steps").EnumerateArray())
            {
                var step = env.Step(row[0].GetInt32());

                Assert.Equal(row[1].Integers(), step.Observation.Cast<int>());
                Assert.Equal((row[2].GetDouble(), row[3].GetInt32() == 1), (step.Reward, step.Terminated));
                if (step.Done)
                    Assert.Equal(row[4].Integers(), env.Reset().Observation.Cast<int>());
            }
        }
    }

    [Fact]
    public void CartPole_SuttonBartoReward_IsMinusOneAtTheEnd()
    {
        var env = Gym.Make<float[], int>("CartPole-v1", new Dictionary<string, object> { ["sutton_barto_reward"] = true });
        env.Reset(1);
        StepResult<float[]> step;
        for (step = env.Step(1); !step.Done; step = env.Step(1))
            Assert.Equal(0, step.Reward);

        Assert.Equal(-1, step.Reward);
    }

    [Fact]
    public void Reset_Options_BoundTheStart()
    {
        var env = Gym.Make<float[], int>("MountainCar-v0");

        Assert.InRange(env.Reset(1, new Dictionary<string, object> { ["low"] = 0.1, ["high"] = 0.2 }).Observation[0], 0.1f, 0.2f);
        Assert.Contains("low <= high", Assert.Throws<ArgumentException>(() => env.Reset(1, new Dictionary<string, object> { ["low"] = 1 })).Message, StringComparison.Ordinal);
        Assert.Contains("must be a number, but was 'x'", Assert.Throws<ArgumentException>(() => env.Reset(1, new Dictionary<string, object> { ["low"] = "x" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new float[] { 1, 2 })]
    [InlineData(new[] { float.NaN })]
    public void Step_ActionOfWrongShapeOrNaN_Throws(float[] action)
    {
        var env = new PendulumEnv();
        env.Reset(1);

        Assert.Contains("must be an element of Box(-2, 2, (1))", Assert.Throws<ArgumentException>(() => env.Step(action)).Message, StringComparison.Ordinal);
    }

    private static void AssertClose(JsonElement expected, float[] actual)
    {
        var values = expected.Floats();
        Assert.Equal(values.Length, actual.Length);
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(values[i], actual[i], Tolerance);
    }

    private static void AssertState(JsonElement expected, double[] actual)
    {
        var values = expected.Doubles();
        Assert.Equal(values.Length, actual.Length);
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(values[i], actual[i], 1e-9 * Math.Max(1, Math.Abs(values[i])));
    }
}
