using Serve.Rl.Rendering;

namespace Serve.Rl.Environments;

/// <summary>
/// A walk over a frozen lake from S to G without falling into a hole H. On slippery ice a move goes to either side of its direction with equal probability. Actions: 0 left, 1 down, 2 right,
/// 3 up. Reward: 1 at the goal, else 0. Holes and the goal end the episode. The information has <c>prob</c>.
/// </summary>
public sealed class FrozenLakeEnv : TabularEnv
{
    private static readonly string[] ActionNames = ["Left", "Down", "Right", "Up"];
    private static readonly (int Row, int Column)[] Moves = [(0, -1), (1, 0), (0, 1), (-1, 0)];

    private readonly IReadOnlyList<string> _map;

    /// <summary>Creates the environment.</summary>
    /// <param name="map">Rows of equal length with the letters S (start), F (frozen), H (hole) and G (goal); null for <see cref="Map4x4"/>.</param>
    /// <param name="isSlippery">Whether moves slip.</param>
    /// <param name="successRate">The probability of the intended move on slippery ice.</param>
    /// <exception cref="ArgumentException">The map is empty, has rows of different lengths, other letters, or no start.</exception>
    public FrozenLakeEnv(IReadOnlyList<string>? map = null, bool isSlippery = true, double successRate = 1.0 / 3.0)
        : this(Validate(map ?? Map4x4), isSlippery ? successRate : null)
    {
    }

    private FrozenLakeEnv(IReadOnlyList<string> map, double? successRate)
        : base(map.Count * map[0].Length, 4, (state, action) => OutcomesOf(map, state, action, successRate), state => Letter(map, state) == 'S' ? 1 : 0) => _map = map;

    /// <summary>Gets the map of FrozenLake-v1.</summary>
    public static IReadOnlyList<string> Map4x4 { get; } = ["SFFF", "FHFH", "FFFH", "HFFG"];

    /// <summary>Gets the map of FrozenLake8x8-v1.</summary>
    public static IReadOnlyList<string> Map8x8 { get; } = ["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"];

    /// <inheritdoc />
    public override string Render()
    {
        var (playerRow, column) = Math.DivRem(StartedState, _map[0].Length);
        var rows = _map.Select((line, row) => row == playerRow ? $"{line[..column]}{AnsiText.Highlighted(line[column].ToString(), AnsiText.Red)}{line[(column + 1)..]}" : line);
        return $"{(LastAction < 0 ? "" : $"  ({ActionNames[LastAction]})")}\n{string.Join('\n', rows)}\n";
    }

    /// <inheritdoc />
    public override RgbFrame RenderRgb()
    {
        var width = _map[0].Length;
        var cell = Math.Min(64, 512 / Math.Max(width, _map.Count));
        var canvas = new FrameCanvas(width * cell, _map.Count * cell, new(120, 160, 200));
        for (var state = 0; state < StateCount; state++)
        {
            var (x, y) = (state % width * cell, state / width * cell);
            canvas.Rectangle(x + 1, y + 1, cell - 2, cell - 2, new(220, 235, 250));
            switch (Letter(_map, state))
            {
                case 'H':
                    canvas.Circle(x + (cell / 2.0), y + (cell / 2.0), cell * 0.38, new(30, 60, 120));
                    break;
                case 'G':
                    canvas.Rectangle(x + (cell * 0.25), y + (cell * 0.25), cell * 0.5, cell * 0.5, new(200, 150, 30));
                    break;
                case 'S':
                    canvas.Rectangle(x + (cell * 0.2), y + (cell * 0.6), cell * 0.6, cell * 0.2, new(140, 100, 60));
                    break;
            }

            if (state == StartedState)
                canvas.Circle(x + (cell / 2.0), y + (cell / 2.0), cell * 0.22, new(40, 150, 60));
        }

        return canvas.ToFrame();
    }

    private static IReadOnlyList<string> Validate(IReadOnlyList<string> map)
    {
        if (map.Count == 0 || map[0].Length == 0 || map.Any(row => row.Length != map[0].Length))
            throw new ArgumentException("Map of FrozenLake must have rows of equal length.", nameof(map));
        if (string.Concat(map).FirstOrDefault(letter => !"SFHG".Contains(letter)) is var invalid and not '\0')
            throw new ArgumentException($"Map of FrozenLake must have the letters S, F, H and G only, but had '{invalid}'.", nameof(map));
        return map.Any(row => row.Contains('S')) ? [.. map] : throw new ArgumentException("Map of FrozenLake must have a start S.", nameof(map));
    }

    private static char Letter(IReadOnlyList<string> map, int state) => map[state / map[0].Length][state % map[0].Length];

    private static TabularTransition[] OutcomesOf(IReadOnlyList<string> map, int state, int action, double? successRate)
    {
        var (width, height) = (map[0].Length, map.Count);
        if (Letter(map, state) is 'G' or 'H')
            return [new(1, state, 0, true)];
        return successRate is { } rate
            ? [Outcome((1 - rate) / 2, (action + 3) % 4), Outcome(rate, action), Outcome((1 - rate) / 2, (action + 1) % 4)]
            : [Outcome(1, action)];

        TabularTransition Outcome(double probability, int move)
        {
            var row = Math.Clamp((state / width) + Moves[move].Row, 0, height - 1);
            var column = Math.Clamp((state % width) + Moves[move].Column, 0, width - 1);
            var letter = map[row][column];
            return new(probability, (row * width) + column, letter == 'G' ? 1 : 0, letter is 'G' or 'H');
        }
    }
}
