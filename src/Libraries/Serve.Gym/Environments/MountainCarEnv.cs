using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>
/// A car too weak to climb a hill directly (A. Moore, 1990). Observation: position, velocity. Actions: 0 accelerate left, 1 nothing, 2 accelerate right. Reward: -1 per step. The episode ends at
/// position 0.5. Reset options <c>low</c> and <c>high</c> bound the start (-0.6 to -0.4).
/// </summary>
/// <param name="goalVelocity">The velocity that the car needs at the goal.</param>
public sealed class MountainCarEnv(double goalVelocity = 0) : ClassicControlEnv<int>(MountainTrack.Observations, Actions)
{
    private const double GoalPosition = 0.5;

    private static readonly Discrete Actions = new(3);

    private protected override double[] DrawStart(IReadOnlyDictionary<string, object>? options) => [.. DrawUniform(1, StartBounds(options, -0.6, -0.4)), 0];

    private protected override (double Reward, bool Terminated) Advance(double[] state, int action)
    {
        MountainTrack.Move(state, (action - 1) * 0.001);
        return (-1, state[0] >= GoalPosition && state[1] >= goalVelocity);
    }

    private protected override RgbFrame Draw(double[] state) => MountainTrack.Draw(state[0], GoalPosition);
}

/// <summary>
/// MountainCar with a continuous force. Observation: position, velocity. Action: a force, clipped to ±1. Reward: -0.1 × force², +100 at position 0.45, which ends the episode. Reset options
/// <c>low</c> and <c>high</c> bound the start (-0.6 to -0.4).
/// </summary>
/// <param name="goalVelocity">The velocity that the car needs at the goal.</param>
public sealed class MountainCarContinuousEnv(double goalVelocity = 0) : ClassicControlEnv<float[]>(MountainTrack.Observations, Actions)
{
    private const double GoalPosition = 0.45;
    private const double Power = 0.0015;

    private static readonly Box Actions = new(-1, 1, 1);

    private protected override double[] DrawStart(IReadOnlyDictionary<string, object>? options) => [.. DrawUniform(1, StartBounds(options, -0.6, -0.4)), 0];

    private protected override (double Reward, bool Terminated) Advance(double[] state, float[] action)
    {
        MountainTrack.Move(state, Math.Clamp((double)action[0], -1, 1) * Power);
        var terminated = state[0] >= GoalPosition && state[1] >= goalVelocity;

        // Gymnasium keeps this state in single precision.
        (state[0], state[1]) = ((float)state[0], (float)state[1]);
        return ((terminated ? 100 : 0) - ((double)action[0] * action[0] * 0.1), terminated);
    }

    private protected override RgbFrame Draw(double[] state) => MountainTrack.Draw(state[0], GoalPosition);
}

/// <summary>The track of both variants of MountainCar.</summary>
internal static class MountainTrack
{
    private const double MinPosition = -1.2;
    private const double MaxPosition = 0.6;
    private const double MaxSpeed = 0.07;

    public static Box Observations { get; } = new([(float)MinPosition, -(float)MaxSpeed], [(float)MaxPosition, (float)MaxSpeed]);

    public static void Move(double[] state, double acceleration)
    {
        var velocity = Math.Clamp(state[1] + acceleration - (0.0025 * Math.Cos(3 * state[0])), -MaxSpeed, MaxSpeed);
        var position = Math.Clamp(state[0] + velocity, MinPosition, MaxPosition);
        if (position == MinPosition && velocity < 0)
            velocity = 0;
        (state[0], state[1]) = (position, velocity);
    }

    public static RgbFrame Draw(double position, double goal)
    {
        const double Scale = 600 / (MaxPosition - MinPosition);
        var canvas = new FrameCanvas(600, 400, Rgb.White);
        for (var x = 0; x < 600; x += 6)
            canvas.Line(PointAt(MinPosition + (x / Scale)), PointAt(MinPosition + ((x + 6) / Scale)), 2, Rgb.Black);

        var (goalX, goalY) = PointAt(goal);
        canvas.Rectangle(goalX, goalY - 50, 1.5, 50, Rgb.Black);
        canvas.Polygon(new(204, 204, 0), (goalX, goalY - 50), (goalX + 25, goalY - 45), (goalX, goalY - 40));

        var car = PointAt(position);
        var (sin, cos) = Math.SinCos(Math.Cos(3 * position));
        canvas.Polygon(Rgb.Black, Corner(-20, 10), Corner(20, 10), Corner(20, 30), Corner(-20, 30));
        canvas.Circle(Corner(10, 10).X, Corner(10, 10).Y, 8, new(128, 128, 128));
        canvas.Circle(Corner(-10, 10).X, Corner(-10, 10).Y, 8, new(128, 128, 128));
        return canvas.ToFrame();

        static (double X, double Y) PointAt(double position) => ((position - MinPosition) * Scale, 400 - (((Math.Sin(3 * position) * 0.45) + 0.55) * Scale));

        // Right and up along the slope.
        (double X, double Y) Corner(double right, double up) => (car.X + (right * cos) - (up * sin), car.Y - (right * sin) - (up * cos));
    }
}
