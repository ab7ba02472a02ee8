using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>
/// A pendulum that a torque swings up and balances. Observation: cosine and sine of the angle from upright, angular velocity. Action: a torque, clipped to ±2. Reward:
/// -(angle² + 0.1 × velocity² + 0.001 × torque²). The task has no end. Reset options <c>x_init</c> and <c>y_init</c> bound the start angle (π) and velocity (1).
/// </summary>
/// <param name="gravity">The gravity in m/s².</param>
public sealed class PendulumEnv(double gravity = 10) : ClassicControlEnv<float[]>(Observations, Actions)
{
    private const double MaxSpeed = 8;
    private const double MaxTorque = 2;
    private const double TimeStep = 0.05;

    private static readonly Box Observations = new([-1, -1, -(float)MaxSpeed], [1, 1, (float)MaxSpeed]);
    private static readonly Box Actions = new(-(float)MaxTorque, (float)MaxTorque, 1);

    private protected override double[] DrawStart(IReadOnlyDictionary<string, object>? options)
    {
        var (angle, velocity) = (Option(options, "x_init", Math.PI), Option(options, "y_init", 1));
        return [Random.NextUniform(-angle, angle), Random.NextUniform(-velocity, velocity)];
    }

    private protected override (double Reward, bool Terminated) Advance(double[] state, float[] action)
    {
        var (angle, velocity) = (state[0], state[1]);
        var torque = Math.Clamp((double)action[0], -MaxTorque, MaxTorque);
        var deviation = angle + Math.PI - (Math.Floor((angle + Math.PI) / (2 * Math.PI)) * 2 * Math.PI) - Math.PI;
        var cost = (deviation * deviation) + (0.1 * velocity * velocity) + (0.001 * torque * torque);
        state[1] = Math.Clamp(velocity + (((3 * gravity / 2 * Math.Sin(angle)) + (3 * torque)) * TimeStep), -MaxSpeed, MaxSpeed);
        state[0] = angle + (state[1] * TimeStep);
        return (-cost, false);
    }

    private protected override float[] Observe() => [(float)Math.Cos(State![0]), (float)Math.Sin(State[0]), (float)State[1]];

    private protected override RgbFrame Draw(double[] state)
    {
        const double Scale = 500 / 4.4;
        var canvas = new FrameCanvas(500, 500, Rgb.White);
        var color = new Rgb(204, 77, 77);
        var (sin, cos) = Math.SinCos(state[0]);
        var end = (X: 250 - (Scale * sin), Y: 250 - (Scale * cos));
        canvas.Line((250, 250), end, 0.2 * Scale, color);
        canvas.Circle(250, 250, 0.1 * Scale, color);
        canvas.Circle(end.X, end.Y, 0.1 * Scale, color);
        canvas.Circle(250, 250, 0.05 * Scale, Rgb.Black);
        return canvas.ToFrame();
    }
}
