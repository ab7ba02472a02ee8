namespace Serve.Rl.Environments;

/// <summary>Colors of a terminal.</summary>
internal static class AnsiText
{
    public const int Red = 31;
    public const int Green = 32;
    public const int Yellow = 33;
    public const int Blue = 34;
    public const int Magenta = 35;

    public static string Colored(string text, int color, bool isBold = false) => $"\e[{color}{(isBold ? ";1" : "")}m{text}\e[0m";

    public static string Highlighted(string text, int color) => Colored(text, color + 10);
}
