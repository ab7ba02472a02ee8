using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>
/// A pole on a cart (Barto, Sutton and Anderson, 1983). Observation: position, velocity, angle, angular velocity. Actions: 0 push left, 1 push right. Reward: 1 per step. The episode ends beyond
/// 2.4 units or 12 degrees. Reset options <c>low</c> and <c>high</c> bound the start (±0.05).
/// </summary>
/// <param name="suttonBartoReward">Whether the reward is 0 per step and -1 at the end.</param>
public sealed class CartPoleEnv(bool suttonBartoReward = false) : ClassicControlEnv<int>(Observations, Actions)
{
    internal const double Gravity = 9.8;
    internal const double PoleMass = 0.1;
    internal const double TotalMass = 1.0 + PoleMass;
    internal const double HalfLength = 0.5;
    internal const double PoleMoment = PoleMass * HalfLength;
    internal const double Force = 10;
    internal const double TimeStep = 0.02;
    internal const double PositionLimit = 2.4;
    internal const double AngleLimit = 12 * 2 * Math.PI / 360;
    internal const double StartLimit = 0.05;

    private static readonly Box Observations = new(
        [-(float)(PositionLimit * 2), float.NegativeInfinity, -(float)(AngleLimit * 2), float.NegativeInfinity],
        [(float)(PositionLimit * 2), float.PositiveInfinity, (float)(AngleLimit * 2), float.PositiveInfinity]);

    private static readonly Discrete Actions = new(2);

    internal bool UsesSuttonBartoReward => suttonBartoReward;

    private protected override double[] DrawStart(IReadOnlyDictionary<string, object>? options) => DrawUniform(4, StartBounds(options, -StartLimit, StartLimit));

    private protected override (double Reward, bool Terminated) Advance(double[] state, int action)
    {
        var (position, velocity, angle, angularVelocity) = (state[0], state[1], state[2], state[3]);
        var (sin, cos) = Math.SinCos(angle);
        var push = ((action == 1 ? Force : -Force) + (PoleMoment * angularVelocity * angularVelocity * sin)) / TotalMass;
        var angularAcceleration = ((Gravity * sin) - (cos * push)) / (HalfLength * ((4.0 / 3.0) - (PoleMass * cos * cos / TotalMass)));
        var acceleration = push - (PoleMoment * angularAcceleration * cos / TotalMass);
        state[0] = position + (TimeStep * velocity);
        state[1] = velocity + (TimeStep * acceleration);
        state[2] = angle + (TimeStep * angularVelocity);
        state[3] = angularVelocity + (TimeStep * angularAcceleration);
        var terminated = Math.Abs(state[0]) > PositionLimit || Math.Abs(state[2]) > AngleLimit;
        return (suttonBartoReward ? (terminated ? -1 : 0) : 1, terminated);
    }

    private protected override RgbFrame Draw(double[] state)
    {
        const double Scale = 600 / (2 * PositionLimit);
        var canvas = new FrameCanvas(600, 400, Rgb.White);
        var x = (state[0] * Scale) + 300;
        canvas.Rectangle(0, 299.5, 600, 1, Rgb.Black);
        canvas.Rectangle(x - 25, 285, 50, 30, Rgb.Black);
        var (sin, cos) = Math.SinCos(state[2]);
        const double Length = Scale * 2 * HalfLength;
        var axle = (X: x, Y: 292.5);
        canvas.Line((axle.X - (5 * sin), axle.Y + (5 * cos)), (axle.X + ((Length - 5) * sin), axle.Y - ((Length - 5) * cos)), 10, new(202, 152, 101));
        canvas.Circle(axle.X, axle.Y, 5, new(129, 132, 203));
        return canvas.ToFrame();
    }
}
