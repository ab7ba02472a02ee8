using Serve.Rl.Environments;
using Serve.Rl.Spaces;

namespace Serve.Rl.Tests;

public sealed class GymTests
{
    [Theory]
    [InlineData("Taxi-v3")]
    [InlineData("Taxi-v4")]
    [InlineData("FrozenLake-v1")]
    [InlineData("FrozenLake8x8-v1")]
    [InlineData("CliffWalking-v1")]
    [InlineData("CliffWalkingSlippery-v1")]
    [InlineData("Blackjack-v1")]
    [InlineData("CartPole-v0")]
    [InlineData("CartPole-v1")]
    [InlineData("MountainCar-v0")]
    [InlineData("MountainCarContinuous-v0")]
    [InlineData("Pendulum-v1")]
    [InlineData("Acrobot-v1")]
    public void Check_EveryRegisteredEnvironment_KeepsTheRules(string id)
    {
        Gym.Check(Gym.Make(id));
        Assert.Contains(Gym.Specs, spec => spec.Id == id);
    }

    [Fact]
    public void Make_Untyped_PlaysAnEpisode()
    {
        using var env = Gym.Make("Taxi-v3");
        var (observation, info) = env.Reset(seed: 1);
        Assert.Equal(252, observation);
        Assert.NotNull(info["action_mask"]);

        env.ActionSpace.Seed(1);
        var steps = 0;
        StepResult<object> step;
        do
        {
            step = env.Step(env.ActionSpace.Sample());
            steps++;
        }
        while (!step.Done);

        Assert.Equal((200, false, true), (steps, step.Terminated, step.Truncated));
        Assert.Equal(new EnvSpec("Taxi-v3", 200, 8), env.Spec);
    }

    [Fact]
    public void Step_WrongOrder_ThrowsWithTheReason()
    {
        var env = Gym.Make("FrozenLake-v1", new Dictionary<string, object> { ["is_slippery"] = false });

        Assert.Contains("Step of FrozenLake-v1 must not be called before the first Reset. Call Reset first.", Assert.Throws<InvalidOperationException>(() => env.Step(0)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => env.Render());
        env.Reset(1);
        env.Step(1);
        Assert.True(env.Step(2).Terminated);
        Assert.Contains("after the episode has terminated", Assert.Throws<InvalidOperationException>(() => env.Step(0)).Message, StringComparison.Ordinal);
        env.Reset();
        env.Step(0);

        var limited = Gym.Make("CartPole-v1", maxEpisodeSteps: 1);
        limited.Reset(1);
        limited.Step(0);
        Assert.Contains("after the episode was truncated", Assert.Throws<InvalidOperationException>(() => limited.Step(0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_WrongAction_ThrowsWithExpectedAndActual()
    {
        var env = Gym.Make("Taxi-v3");
        env.Reset(1);

        Assert.Contains("Action of Taxi-v3 must be an element of Discrete(6), but was -1.", Assert.Throws<ArgumentException>(() => env.Step(-1)).Message, StringComparison.Ordinal);
        Assert.Contains("Action of Taxi-v3 must be of type Int32 for Discrete(6), but was of type String.", Assert.Throws<ArgumentException>(() => env.Step("up")).Message, StringComparison.Ordinal);
        var pendulum = Gym.Make<float[], float[]>("Pendulum-v1");
        pendulum.Reset(1);
        Assert.Contains("must be an element of Box(-2, 2, (1)), but was [1, 2] (2 elements).", Assert.Throws<ArgumentException>(() => pendulum.Step([1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Make_UnknownId_SuggestsTheNearest()
    {
        var typo = Assert.Throws<EnvNotFoundException>(() => Gym.Make("Taxy-v3")).Message;
        Assert.Contains("Did you mean 'Taxi-v3'?", typo, StringComparison.Ordinal);
        Assert.Contains("Gym.Register(\"Taxy-v3\", () => new MyEnv())", typo, StringComparison.Ordinal);
        Assert.Contains("Registered versions: Taxi-v3, Taxi-v4.", Assert.Throws<EnvNotFoundException>(() => Gym.Make("Taxi-v9")).Message, StringComparison.Ordinal);
        Assert.Equal("Taxi-v4", Gym.Make("Taxi").Spec!.Id);
    }

    [Fact]
    public void Make_UnknownOrWrongArgument_Throws()
    {
        Assert.Contains("Unknown argument 'is_slipery' of FrozenLake-v1. Did you mean 'is_slippery'?",
            Assert.Throws<ArgumentException>(() => Gym.Make("FrozenLake-v1", new Dictionary<string, object> { ["is_slipery"] = true })).Message, StringComparison.Ordinal);
        Assert.Contains("must be of type Boolean, but was 'no' of type String",
            Assert.Throws<ArgumentException>(() => Gym.Make("FrozenLake-v1", new Dictionary<string, object> { ["is_slippery"] = "no" })).Message, StringComparison.Ordinal);
        Assert.Contains("must be 4x4 or 8x8", Assert.Throws<ArgumentException>(() => Gym.Make("FrozenLake-v1", new Dictionary<string, object> { ["map_name"] = "9x9" })).Message, StringComparison.Ordinal);
        Assert.Contains("Discrete(500)", Assert.Throws<ArgumentException>(() => Gym.Make<float[], int>("Taxi-v3")).Message, StringComparison.Ordinal);
        Gym.Make("Pendulum-v1", new Dictionary<string, object> { ["g"] = 9 });
    }

    [Fact]
    public void Register_OwnEnvironment_IsMadeWithTimeLimit()
    {
        Gym.Register("tests/Countdown-v0", arguments => new CountdownEnv(arguments.Get("start", 3)), maxEpisodeSteps: 2);
        var env = Gym.Make<int, int>("tests/Countdown-v0", new Dictionary<string, object> { ["start"] = 5 });

        Assert.Equal(5, env.Reset().Observation);
        Assert.False(env.Step(0).Truncated);
        Assert.True(env.Step(0).Truncated);
        using var vector = Gym.MakeVec<int, int>("tests/Countdown-v0", 2);
        vector.Reset();
        Assert.Equal([3, 3], vector.Observations.ToArray());
        Assert.Contains("already registered", Assert.Throws<ArgumentException>(() => Gym.Register("tests/Countdown-v0", () => new CountdownEnv(1))).Message, StringComparison.Ordinal);
        Assert.Contains("must have the form", Assert.Throws<ArgumentException>(() => Gym.Register("Countdown", () => new CountdownEnv(1))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Gym.Register("Countdown-v1", () => new CountdownEnv(1), maxEpisodeSteps: 0));
    }

    [Theory]
    [InlineData(Fault.ObservationOutside, "Step 1 must return an element of Discrete(10), but returned 10.")]
    [InlineData(Fault.NotDeterministic, "must return the same observation for the same seed and actions")]
    [InlineData(Fault.RewardNaN, "Step 1 must return a finite reward, but returned NaN.")]
    [InlineData(Fault.NoInfo, "Step 1 must return information, but returned null.")]
    [InlineData(Fault.Throws, "FormatException during the check: broken")]
    public void Check_BrokenEnvironment_ReportsTheRule(Fault fault, string problem) =>
        Assert.Contains(problem, Assert.Throws<EnvCheckException>(() => Gym.Check(new CountdownEnv(9, fault))).Message, StringComparison.Ordinal);

    [Fact]
    public void Check_ReusedArray_IsReported() =>
        Assert.Contains("must return a new array", Assert.Throws<EnvCheckException>(() => Gym.Check(new ReusedArrayEnv())).Message, StringComparison.Ordinal);

    [Fact]
    public void RenderRgb_EveryEnvironment_ShowsTheState()
    {
        foreach (var spec in Gym.Specs.Where(spec => !spec.Id.StartsWith("tests/", StringComparison.Ordinal)))
        {
            var env = Gym.Make(spec.Id);
            env.Reset(2);
            env.ActionSpace.Seed(3);
            var before = env.RenderRgb()!;
            for (var number = 0; number < 20 && env.RenderRgb()!.Pixels.SequenceEqual(before.Pixels); number++)
            {
                if (env.Step(env.ActionSpace.Sample()).Done)
                    env.Reset();
            }

            Assert.False(before.Pixels.SequenceEqual(env.RenderRgb()!.Pixels), $"{spec.Id} draws the same image after other states");
            Assert.Equal(before.Width * before.Height * 3, before.Pixels.Length);
            Assert.NotEmpty(env.Render()!);
        }
    }

    [Fact]
    public void ToAnsi_Frame_HasTwoPixelsPerCharacter()
    {
        var env = new CartPoleEnv();
        env.Reset(1);

        var lines = env.RenderRgb()!.ToAnsi(30).TrimEnd('\n').Split('\n');

        Assert.Equal(10, lines.Length);
        Assert.All(lines, line => Assert.Equal(30, line.Count(letter => letter == '▀')));
        Assert.Contains("\e[38;2;255;255;255;48;2;255;255;255m▀", lines[0], StringComparison.Ordinal);
    }

    public enum Fault
    {
        None,
        ObservationOutside,
        NotDeterministic,
        RewardNaN,
        NoInfo,
        Throws,
    }

    private sealed class CountdownEnv(int start, Fault fault = Fault.None) : Env<int, int>
    {
        private int _left;
        private int _resets;

        public override Space<int> ObservationSpace { get; } = new Discrete(10);

        public override Space<int> ActionSpace { get; } = new Discrete(1);

        public override (int Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
        {
            SeedRandom(seed);
            _left = start - (fault == Fault.NotDeterministic ? Math.Min(_resets++, 1) : 0);
            return (_left, EnvInfo.Empty);
        }

        public override StepResult<int> Step(int action) => fault switch
        {
            Fault.ObservationOutside => new(10, 0, false, false, EnvInfo.Empty),
            Fault.RewardNaN => new(1, double.NaN, false, false, EnvInfo.Empty),
            Fault.NoInfo => new(1, 0, false, false, null!),
            Fault.Throws => throw new FormatException("broken"),
            _ => new(--_left, 1, _left == 0, false, EnvInfo.Empty),
        };
    }

    private sealed class ReusedArrayEnv : Env<float[], int>
    {
        private readonly float[] _state = [0];

        public override Space<float[]> ObservationSpace { get; } = new Box(0, 1, 1);

        public override Space<int> ActionSpace { get; } = new Discrete(1);

        public override (float[] Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null) => (_state, EnvInfo.Empty);

        public override StepResult<float[]> Step(int action) => new(_state, 0, false, false, EnvInfo.Empty);
    }
}
