using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Serve.Rl.Environments;
using Serve.Rl.Spaces;

namespace Serve.Rl.Vectors;

/// <summary>CartPole with vector instructions, four environments at a time. Each state variable is an array; the arrays are padded to a multiple of four.</summary>
internal sealed class CartPoleVectorEnv : VectorEnv<float, int>
{
    private const int Lanes = 4;

    private readonly double[] _position;
    private readonly double[] _velocity;
    private readonly double[] _angle;
    private readonly double[] _angularVelocity;
    private readonly int[] _elapsedSteps;
    private readonly Pcg64Random[] _random;
    private readonly int _maxEpisodeSteps;
    private readonly Discrete _actionSpace;
    private readonly bool _usesSuttonBartoReward;

    public CartPoleVectorEnv(CartPoleEnv env, EnvSpec spec, int count)
        : base(spec, count, env.ObservationSpace, env.ActionSpace, 4, 1)
    {
        var padded = (count + Lanes - 1) / Lanes * Lanes;
        (_position, _velocity, _angle, _angularVelocity) = (new double[padded], new double[padded], new double[padded], new double[padded]);
        _elapsedSteps = new int[count];
        _random = new Pcg64Random[count];
        for (var i = 0; i < count; i++)
            _random[i] = new Pcg64Random();
        _maxEpisodeSteps = spec.MaxEpisodeSteps ?? int.MaxValue;
        _actionSpace = (Discrete)env.ActionSpace;
        _usesSuttonBartoReward = env.UsesSuttonBartoReward;
    }

    private protected override void ResetCore(Span<float> observations, ulong? seed)
    {
        for (var i = 0; i < Count; i++)
        {
            if (seed is { } first)
                _random[i] = new Pcg64Random(first + (ulong)i);
            Restart(i);
            Observe(i, observations);
        }
    }

    private protected override void RequireActions(ReadOnlySpan<int> actions) => RequireDiscrete(actions, _actionSpace);

    private protected override void StepCore(ReadOnlySpan<int> actions, VectorStep<float> into)
    {
        if (!_usesSuttonBartoReward)
            into.Rewards.Fill(1);
        var whole = Count / Lanes * Lanes;
        for (var first = 0; first < whole; first += Lanes)
        {
            Move(first, Vector128.Create(actions.Slice(first, Lanes)), out var fallen, into.FinalObservations.Slice(first * 4, 4 * Lanes));
            Finish(first, Lanes, fallen, into);
        }

        if (whole == Count)
            return;
        Span<int> lastActions = stackalloc int[Lanes];
        Span<float> lastRows = stackalloc float[4 * Lanes];
        lastActions.Clear();
        actions[whole..].CopyTo(lastActions);
        Move(whole, Vector128.Create<int>(lastActions), out var lastFallen, lastRows);
        lastRows[..((Count - whole) * 4)].CopyTo(into.FinalObservations[(whole * 4)..]);
        Finish(whole, Count - whole, lastFallen, into);
    }

    /// <summary>Moves four environments by one time step and writes their observations.</summary>
    /// <param name="first">The first environment.</param>
    /// <param name="actions">The actions.</param>
    /// <param name="fallen">A bit for each environment that ended.</param>
    /// <param name="rows">Receives the observations.</param>
    private void Move(int first, Vector128<int> actions, out uint fallen, Span<float> rows)
    {
        var position = Vector256.Create(_position.AsSpan(first, Lanes));
        var velocity = Vector256.Create(_velocity.AsSpan(first, Lanes));
        var angle = Vector256.Create(_angle.AsSpan(first, Lanes));
        var angularVelocity = Vector256.Create(_angularVelocity.AsSpan(first, Lanes));
        var wideActions = Vector256.Create(Vector128.WidenLower(actions), Vector128.WidenUpper(actions));
        var force = (Vector256.ConvertToDouble(wideActions) * (2 * CartPoleEnv.Force)) - Vector256.Create(CartPoleEnv.Force);

        var (sin, cos) = SinCos(angle);
        var push = (force + (angularVelocity * angularVelocity * sin * CartPoleEnv.PoleMoment)) * (1 / CartPoleEnv.TotalMass);
        var inertia = Vector256.Create(CartPoleEnv.HalfLength * 4.0 / 3.0) - (cos * cos * (CartPoleEnv.HalfLength * CartPoleEnv.PoleMass / CartPoleEnv.TotalMass));
        var angularAcceleration = ((sin * CartPoleEnv.Gravity) - (cos * push)) / inertia;
        var acceleration = push - (angularAcceleration * cos * (CartPoleEnv.PoleMoment / CartPoleEnv.TotalMass));

        position += velocity * CartPoleEnv.TimeStep;
        velocity += acceleration * CartPoleEnv.TimeStep;
        angle += angularVelocity * CartPoleEnv.TimeStep;
        angularVelocity += angularAcceleration * CartPoleEnv.TimeStep;
        position.CopyTo(_position, first);
        velocity.CopyTo(_velocity, first);
        angle.CopyTo(_angle, first);
        angularVelocity.CopyTo(_angularVelocity, first);

        var isFallen = Vector256.GreaterThan(Vector256.Abs(position), Vector256.Create(CartPoleEnv.PositionLimit))
            | Vector256.GreaterThan(Vector256.Abs(angle), Vector256.Create(CartPoleEnv.AngleLimit));
        fallen = isFallen.ExtractMostSignificantBits();
        WriteRows(position, velocity, angle, angularVelocity, rows);
    }

    /// <summary>Sine and cosine by their series. Angles of running episodes are below 0.21, where the omitted terms are below 1e-16 of the result.</summary>
    private static (Vector256<double> Sin, Vector256<double> Cos) SinCos(Vector256<double> angle)
    {
        var square = angle * angle;
        var sin = Vector256.Create(-1.0 / 39916800);
        sin = (sin * square) + Vector256.Create(1.0 / 362880);
        sin = (sin * square) + Vector256.Create(-1.0 / 5040);
        sin = (sin * square) + Vector256.Create(1.0 / 120);
        sin = (sin * square) + Vector256.Create(-1.0 / 6);
        sin = (sin * square * angle) + angle;
        var cos = Vector256.Create(1.0 / 479001600);
        cos = (cos * square) + Vector256.Create(-1.0 / 3628800);
        cos = (cos * square) + Vector256.Create(1.0 / 40320);
        cos = (cos * square) + Vector256.Create(-1.0 / 720);
        cos = (cos * square) + Vector256.Create(1.0 / 24);
        cos = (cos * square) + Vector256.Create(-0.5);
        cos = (cos * square) + Vector256<double>.One;
        return (sin, cos);
    }

    private static void WriteRows(Vector256<double> position, Vector256<double> velocity, Vector256<double> angle, Vector256<double> angularVelocity, Span<float> rows)
    {
        // Pairs of floats (position and velocity, angle and angular velocity) of each environment, copied as one 64-bit element.
        var interleaved = Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7);
        var linear = Vector256.Shuffle(Vector256.Narrow(position, velocity), interleaved).AsDouble();
        var angular = Vector256.Shuffle(Vector256.Narrow(angle, angularVelocity), interleaved).AsDouble();
        var pairs = MemoryMarshal.Cast<float, double>(rows)[..(2 * Lanes)];
        for (var lane = 0; lane < Lanes; lane++)
        {
            pairs[2 * lane] = linear[lane];
            pairs[(2 * lane) + 1] = angular[lane];
        }
    }

    private void Finish(int first, int count, uint fallen, VectorStep<float> into)
    {
        into.FinalObservations.Slice(first * 4, count * 4).CopyTo(into.Observations.Slice(first * 4, count * 4));
        var ended = fallen;
        for (var lane = 0; lane < count; lane++)
        {
            var (index, isFallen) = (first + lane, ((fallen >> lane) & 1) != 0);
            var isTruncated = ++_elapsedSteps[index] >= _maxEpisodeSteps;
            into.Terminated[index] = isFallen;
            into.Truncated[index] = isTruncated;
            if (_usesSuttonBartoReward)
                into.Rewards[index] = isFallen ? -1 : 0;
            ended |= isTruncated ? 1u << lane : 0;
        }

        for (ended &= (1u << count) - 1; ended != 0; ended &= ended - 1)
        {
            var index = first + BitOperations.TrailingZeroCount(ended);
            Restart(index);
            Observe(index, into.Observations);
        }
    }

    private void Restart(int index)
    {
        var random = _random[index];
        _position[index] = random.NextUniform(-CartPoleEnv.StartLimit, CartPoleEnv.StartLimit);
        _velocity[index] = random.NextUniform(-CartPoleEnv.StartLimit, CartPoleEnv.StartLimit);
        _angle[index] = random.NextUniform(-CartPoleEnv.StartLimit, CartPoleEnv.StartLimit);
        _angularVelocity[index] = random.NextUniform(-CartPoleEnv.StartLimit, CartPoleEnv.StartLimit);
        _elapsedSteps[index] = 0;
    }

    private void Observe(int index, Span<float> observations)
    {
        observations[index * 4] = (float)_position[index];
        observations[(index * 4) + 1] = (float)_velocity[index];
        observations[(index * 4) + 2] = (float)_angle[index];
        observations[(index * 4) + 3] = (float)_angularVelocity[index];
    }
}
