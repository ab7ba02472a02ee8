using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>
/// Two linked rods that a torque at the middle joint swings above a line (R. Sutton, 1996; equations of the book). Observation: cosine and sine of both angles, both angular velocities. Actions:
/// torque -1, 0, 1. Reward: -1 per step, 0 at the end. Reset options <c>low</c> and <c>high</c> bound the start (±0.1).
/// </summary>
public sealed class AcrobotEnv() : ClassicControlEnv<int>(Observations, Actions)
{
    private const double TimeStep = 0.2;
    private const double MaxVelocity1 = 4 * Math.PI;
    private const double MaxVelocity2 = 9 * Math.PI;

    // Both rods have length 1, mass 1, their center of mass at 0.5 and moment of inertia 1.
    private const double Center = 0.5;
    private const double Gravity = 9.8;

    private static readonly Box Observations = new([-1, -1, -1, -1, -(float)MaxVelocity1, -(float)MaxVelocity2], [1, 1, 1, 1, (float)MaxVelocity1, (float)MaxVelocity2]);
    private static readonly Discrete Actions = new(3);

    // Gymnasium keeps the start state in single precision.
    private protected override double[] DrawStart(IReadOnlyDictionary<string, object>? options) =>
        Array.ConvertAll(DrawUniform(4, StartBounds(options, -0.1, 0.1)), value => (double)(float)value);

    private protected override (double Reward, bool Terminated) Advance(double[] state, int action)
    {
        var next = RungeKutta(new(state[0], state[1], state[2], state[3]), action - 1);
        state[0] = Wrap(next.Angle1);
        state[1] = Wrap(next.Angle2);
        state[2] = Math.Clamp(next.Velocity1, -MaxVelocity1, MaxVelocity1);
        state[3] = Math.Clamp(next.Velocity2, -MaxVelocity2, MaxVelocity2);
        var terminated = -Math.Cos(state[0]) - Math.Cos(state[1] + state[0]) > 1;
        return (terminated ? 0 : -1, terminated);
    }

    private protected override float[] Observe()
    {
        var state = State!;
        return [(float)Math.Cos(state[0]), (float)Math.Sin(state[0]), (float)Math.Cos(state[1]), (float)Math.Sin(state[1]), (float)state[2], (float)state[3]];
    }

    private protected override RgbFrame Draw(double[] state)
    {
        const double Scale = 500 / 4.4;
        var canvas = new FrameCanvas(500, 500, Rgb.White);
        canvas.Rectangle(0, 250 - Scale, 500, 1.5, Rgb.Black);
        var joint = (X: 250 + (Math.Sin(state[0]) * Scale), Y: 250 + (Math.Cos(state[0]) * Scale));
        var end = (X: joint.X + (Math.Sin(state[0] + state[1]) * Scale), Y: joint.Y + (Math.Cos(state[0] + state[1]) * Scale));
        foreach (var (from, to) in new[] { ((250.0, 250.0), joint), (joint, end) })
        {
            canvas.Line(from, to, 0.2 * Scale, new(0, 204, 204));
            canvas.Circle(from.Item1, from.Item2, 0.1 * Scale, new(204, 204, 0));
        }

        return canvas.ToFrame();
    }

    private static double Wrap(double angle)
    {
        while (angle > Math.PI)
            angle -= 2 * Math.PI;
        while (angle < -Math.PI)
            angle += 2 * Math.PI;
        return angle;
    }

    private static Phase RungeKutta(Phase start, double torque)
    {
        var k1 = Derivative(start, torque);
        var k2 = Derivative(start.Plus(k1, TimeStep / 2), torque);
        var k3 = Derivative(start.Plus(k2, TimeStep / 2), torque);
        var k4 = Derivative(start.Plus(k3, TimeStep), torque);
        return start.Plus(k1.Plus(k2, 2).Plus(k3, 2).Plus(k4, 1), TimeStep / 6);
    }

    private static Phase Derivative(Phase phase, double torque)
    {
        var (angle1, angle2, velocity1, velocity2) = phase;
        var (sin2, cos2) = Math.SinCos(angle2);
        var d1 = (Center * Center) + (1 + (Center * Center) + (2 * Center * cos2)) + 2;
        var d2 = (Center * Center) + (Center * cos2) + 1;
        var phi2 = Center * Gravity * Math.Cos(angle1 + angle2 - (Math.PI / 2));
        var phi1 = (-Center * velocity2 * velocity2 * sin2) - (2 * Center * velocity2 * velocity1 * sin2) + ((Center + 1) * Gravity * Math.Cos(angle1 - (Math.PI / 2))) + phi2;
        var acceleration2 = (torque + (d2 / d1 * phi1) - (Center * velocity1 * velocity1 * sin2) - phi2) / ((Center * Center) + 1 - (d2 * d2 / d1));
        var acceleration1 = -((d2 * acceleration2) + phi1) / d1;
        return new(velocity1, velocity2, acceleration1, acceleration2);
    }

    /// <summary>Angles and angular velocities, or their derivatives.</summary>
    private readonly record struct Phase(double Angle1, double Angle2, double Velocity1, double Velocity2)
    {
        public Phase Plus(Phase other, double factor) =>
            new(Angle1 + (factor * other.Angle1), Angle2 + (factor * other.Angle2), Velocity1 + (factor * other.Velocity1), Velocity2 + (factor * other.Velocity2));
    }
}
