using Serve.Rl.Vectors;

namespace Serve.Rl.Tests.Vectors;

/// <summary>Environment i of a vector behaves like a single environment with the seed of the vector + i.</summary>
public sealed class VectorEnvTests
{
    [Theory]
    [InlineData("Taxi-v3", true)]
    [InlineData("FrozenLake-v1", false)]
    [InlineData("CliffWalking-v1", true)]
    public void Step_DiscreteObservations_EqualsSingleEnvironments(string id, bool usesTable)
    {
        using var vector = Gym.MakeVec<int, int>(id, 5, maxEpisodeSteps: 70);
        Assert.Equal(usesTable, vector is TabularVectorEnv);

        Compare<int, int>(vector, id, 70, observation => [observation]);
    }

    [Theory]
    [InlineData("CartPole-v1", 1)]
    [InlineData("CartPole-v1", 4)]
    [InlineData("CartPole-v1", 7)]
    [InlineData("Acrobot-v1", 3)]
    public void Step_ContinuousObservations_EqualsSingleEnvironments(string id, int count)
    {
        using var vector = Gym.MakeVec<float, int>(id, count, maxEpisodeSteps: 30);
        Assert.Equal(id == "CartPole-v1", vector is CartPoleVectorEnv);

        Compare<float, float[]>(vector, id, 30, observation => observation);
    }

    [Fact]
    public void Step_ContinuousActions_EqualsSingleEnvironments()
    {
        using var vector = Gym.MakeVec<float, float>("Pendulum-v1", 2, maxEpisodeSteps: 5);
        var singles = new[] { Gym.Make<float[], float[]>("Pendulum-v1"), Gym.Make<float[], float[]>("Pendulum-v1") };
        vector.Reset(9);
        singles[0].Reset(9);
        singles[1].Reset(10);
        for (var number = 1; number <= 5; number++)
        {
            vector.Step([0.5f, -1.5f]);
            var (first, second) = (singles[0].Step([0.5f]), singles[1].Step([-1.5f]));

            Assert.Equal([.. first.Observation, .. second.Observation], vector.FinalObservations.ToArray());
            Assert.Equal([(float)first.Reward, (float)second.Reward], vector.Rewards.ToArray());
            Assert.Equal(number == 5, vector.Truncated[0]);
            Assert.False(vector.Terminated[0]);
        }

        Assert.NotEqual(vector.FinalObservations.ToArray(), vector.Observations.ToArray());
    }

    [Fact]
    public void MakeVec_CompositeObservations_AreFlattened()
    {
        using var vector = Gym.MakeVec<float, int>("Blackjack-v1", 2);
        vector.Reset(3);

        Assert.Equal(45, vector.ObservationSize);
        Assert.Equal(6, vector.Observations.ToArray().Count(value => value == 1));
    }

    [Fact]
    public void Step_Buffers_ReceiveTheResults()
    {
        using var vector = Gym.MakeVec<int, int>("Taxi-v3", 3);
        var (observations, finals, rewards, terminated, truncated) = (new int[3], new int[3], new float[3], new bool[3], new bool[3]);
        vector.Reset(observations, 1);

        Assert.Equal([252, 128, 42], observations);
        vector.Step([5, 5, 5], new VectorStep<int>(observations, rewards, terminated, truncated, finals));
        Assert.Equal([-10f, -10f, -10f], rewards);
    }

    [Fact]
    public void Step_InvalidInput_ThrowsAndChangesNothing()
    {
        using var taxi = Gym.MakeVec<int, int>("Taxi-v3", 2);
        Assert.Contains("before the first Reset", Assert.Throws<InvalidOperationException>(() => taxi.Step([0, 0])).Message, StringComparison.Ordinal);
        taxi.Reset(1);
        var before = taxi.Observations.ToArray();

        Assert.Contains("Action 1 of Taxi-v3 must be an element of Discrete(6), but was 6.", Assert.Throws<ArgumentException>(() => taxi.Step([0, 6])).Message, StringComparison.Ordinal);
        Assert.Contains("must have 2 elements, but had 3", Assert.Throws<ArgumentException>(() => taxi.Step([0, 0, 0])).Message, StringComparison.Ordinal);
        Assert.Equal(before, taxi.Observations.ToArray());
        using var pendulum = Gym.MakeVec<float, float>("Pendulum-v1", 2);
        pendulum.Reset(1);
        Assert.Contains("Action 1 of Pendulum-v1", Assert.Throws<ArgumentException>(() => pendulum.Step([0, float.NaN])).Message, StringComparison.Ordinal);
        using var cartPole = Gym.MakeVec<float, int>("CartPole-v1", 2);
        cartPole.Reset(1);
        Assert.Throws<ArgumentException>(() => cartPole.Step([0, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Gym.MakeVec("Taxi-v3", 0));
        Assert.Contains("Discrete(500)", Assert.Throws<ArgumentException>(() => Gym.MakeVec<float, int>("Taxi-v3", 1)).Message, StringComparison.Ordinal);
    }

    private static void Compare<TElement, TObs>(
        VectorEnv<TElement, int> vector, string id, int limit, Func<TObs, TElement[]> flatten)
        where TElement : unmanaged
        where TObs : notnull
    {
        var singles = Enumerable.Range(0, vector.Count).Select(_ => Gym.Make<TObs, int>(id, maxEpisodeSteps: limit)).ToArray();
        vector.Reset(20);
        Assert.Equal(singles.SelectMany((single, index) => flatten(single.Reset(20 + (ulong)index).Observation)), vector.Observations.ToArray());

        vector.SingleActionSpace.Seed(1);
        var ends = 0;
        for (var number = 0; number < 400; number++)
        {
            int[] actions = [.. singles.Select(_ => (int)vector.SingleActionSpace.Sample())];
            vector.Step(actions);
            foreach (var (index, single) in singles.Index())
            {
                var result = single.Step(actions[index]);
                var size = vector.ObservationSize;

                AssertClose(flatten(result.Observation), vector.FinalObservations.Slice(index * size, size).ToArray());
                Assert.Equal(((float)result.Reward, result.Terminated, result.Truncated), (vector.Rewards[index], vector.Terminated[index], vector.Truncated[index]));
                ends += result.Done ? 1 : 0;
                AssertClose(result.Done ? flatten(single.Reset().Observation) : flatten(result.Observation), vector.Observations.Slice(index * size, size).ToArray());
            }
        }

        Assert.InRange(ends, 5, int.MaxValue);
    }

    private static void AssertClose<TElement>(TElement[] expected, TElement[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(Convert.ToDouble(expected[i]), Convert.ToDouble(actual[i]), 1e-6);
    }
}
