using System.Text;
using Serve.Rl.Rendering;

namespace Serve.Rl.Environments;

/// <summary>
/// A walk along a cliff of a 4 × 12 grid, from the lower left to the lower right corner (Sutton and Barto, example 6.6). Actions: 0 up, 1 right, 2 down, 3 left. Rewards: -1 per step, -100
/// for the cliff, which leads back to the start. The goal ends the episode. The information has <c>prob</c>.
/// </summary>
public sealed class CliffWalkingEnv : TabularEnv
{
    private const int Rows = 4;
    private const int Columns = 12;
    private const int Start = 36;
    private const int Goal = 47;

    private static readonly (int Row, int Column)[] Moves = [(-1, 0), (0, 1), (1, 0), (0, -1)];

    /// <summary>Creates the environment.</summary>
    /// <param name="isSlippery">Whether a move goes to either side of its direction with equal probability.</param>
    public CliffWalkingEnv(bool isSlippery = false)
        : base(Rows * Columns, 4, (state, action) => OutcomesOf(state, action, isSlippery), state => state == Start ? 1 : 0)
    {
    }

    /// <inheritdoc />
    public override string Render()
    {
        var text = new StringBuilder();
        for (var state = 0; state < StateCount; state++)
        {
            text.Append(state == StartedState ? 'x' : state == Goal ? 'T' : IsCliff(state) ? 'C' : 'o');
            text.Append(state % Columns == Columns - 1 ? "\n" : "  ");
        }

        return text.Append('\n').ToString();
    }

    /// <inheritdoc />
    public override RgbFrame RenderRgb()
    {
        const int Cell = 60;
        var canvas = new FrameCanvas(Columns * Cell, Rows * Cell, new(110, 150, 90));
        for (var state = 0; state < StateCount; state++)
        {
            var (x, y) = (state % Columns * Cell, state / Columns * Cell);
            var color = IsCliff(state) ? new Rgb(90, 60, 40) : state == Goal ? new(220, 180, 60) : state == Start ? new(160, 160, 160) : new(150, 190, 120);
            canvas.Rectangle(x + 1, y + 1, Cell - 2, Cell - 2, color);
            if (state == StartedState)
                canvas.Circle(x + (Cell / 2), y + (Cell / 2), Cell * 0.3, new(40, 60, 160));
        }

        return canvas.ToFrame();
    }

    private static bool IsCliff(int state) => state is > Start and < Goal;

    private static TabularTransition[] OutcomesOf(int state, int action, bool isSlippery)
    {
        return isSlippery
            ? [Outcome(1.0 / 3, (action + 3) % 4), Outcome(1.0 / 3, action), Outcome(1.0 / 3, (action + 1) % 4)]
            : [Outcome(1, action)];

        TabularTransition Outcome(double probability, int move)
        {
            var row = Math.Clamp((state / Columns) + Moves[move].Row, 0, Rows - 1);
            var column = Math.Clamp((state % Columns) + Moves[move].Column, 0, Columns - 1);
            var next = (row * Columns) + column;
            return IsCliff(next) ? new(probability, Start, -100, false) : new(probability, next, -1, next == Goal);
        }
    }
}
