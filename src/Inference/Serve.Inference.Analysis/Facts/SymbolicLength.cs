using System.Globalization;

namespace Serve.Inference.Analysis.Facts;

/// <summary>
/// A whole number that may be known only by name: a constant times symbols, e.g. <c>3·N·s1</c>. Equal text means equal values.
/// </summary>
/// <remarks>
/// The first character of a symbol is its kind: <c>N</c> is the number of rows of the run; <c>+</c> is a length that is not negative and does not depend on N;
/// <c>-</c> is any whole number that does not depend on N; <c>~</c> depends on N otherwise than as a factor, so that nothing may be concluded from it.
/// </remarks>
internal sealed class SymbolicLength : IEquatable<SymbolicLength>
{
    public const char RowCountKind = 'N';
    public const char LengthKind = '+';
    public const char NumberKind = '-';
    public const char OpaqueRowsKind = '~';

    private readonly string _text;

    private SymbolicLength(long constant, string[] symbols)
    {
        (Constant, Symbols) = constant == 0 ? (0, []) : (constant, symbols);
        var digits = Constant.ToString(CultureInfo.InvariantCulture);
        _text = Symbols.Count == 0 ? digits : Constant == 1 ? string.Join('·', Symbols) : digits + "·" + string.Join('·', Symbols);
    }

    public static SymbolicLength Zero { get; } = new(0, []);

    public static SymbolicLength One { get; } = new(1, []);

    /// <summary>The number of rows of the run.</summary>
    public static SymbolicLength RowCount { get; } = new(1, [RowCountKind.ToString()]);

    public long Constant { get; }

    /// <summary>The symbols in ordinal order; one that is a factor twice is listed twice.</summary>
    public IReadOnlyList<string> Symbols { get; }

    public bool IsConstant => Symbols.Count == 0;

    public bool DependsOnRowCount => Symbols.Any(symbol => symbol[0] is RowCountKind or OpaqueRowsKind);

    /// <summary>Whether it depends on the number of rows otherwise than as a factor.</summary>
    public bool IsOpaqueInRows => Symbols.Any(symbol => symbol[0] == OpaqueRowsKind);

    /// <summary>How often the number of rows is a factor.</summary>
    public int RowCountPower => Symbols.Count(symbol => symbol[0] == RowCountKind);

    public bool IsNeverNegative => Constant >= 0 && Symbols.All(symbol => symbol[0] is RowCountKind or LengthKind);

    public static SymbolicLength Of(long constant) => constant == 1 ? One : new(constant, []);

    public static SymbolicLength OfSymbol(string symbol) => new(1, [symbol]);

    /// <summary>Returns the product, or null if its constant overflows.</summary>
    public static SymbolicLength? Multiply(SymbolicLength left, SymbolicLength right)
    {
        if (left.Is(1))
            return right;
        if (right.Is(1))
            return left;
        var constant = (Int128)left.Constant * right.Constant;
        if (constant < long.MinValue || constant > long.MaxValue)
            return null;
        string[] symbols = [.. left.Symbols, .. right.Symbols];
        Array.Sort(symbols, string.CompareOrdinal);
        return new((long)constant, symbols);
    }

    /// <summary>Returns the quotient if it is whole for every value of the symbols; otherwise null.</summary>
    public static SymbolicLength? Divide(SymbolicLength dividend, SymbolicLength divisor)
    {
        if (divisor.Is(1))
            return dividend;
        if (divisor.Constant is 0 or -1 || dividend.Constant % divisor.Constant != 0)
            return divisor.Is(-1) && dividend.Constant != long.MinValue ? new(-dividend.Constant, [.. dividend.Symbols]) : null;
        List<string> rest = [.. dividend.Symbols];
        return divisor.Symbols.All(rest.Remove) ? new(dividend.Constant / divisor.Constant, [.. rest]) : null;
    }

    public bool Is(long constant) => IsConstant && Constant == constant;

    public bool Equals(SymbolicLength? other) => other is not null && other._text == _text;

    public override bool Equals(object? obj) => obj is SymbolicLength other && Equals(other);

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => _text;
}

/// <summary>Arithmetic with symbolic lengths. A result that is not a product becomes a new symbol; equal computations have equal symbols.</summary>
internal sealed class LengthArithmetic
{
    private readonly Dictionary<string, string> _symbols = [];
    private int _count;

    /// <summary>Returns a new length about which nothing is known.</summary>
    public SymbolicLength NewLength() => NewSymbol(SymbolicLength.LengthKind);

    /// <summary>Returns a new whole number about which nothing is known, not even its sign.</summary>
    public SymbolicLength NewNumber() => NewSymbol(SymbolicLength.NumberKind);

    /// <summary>Returns the symbol of a computation.</summary>
    public SymbolicLength Computed(string computation, bool dependsOnRowCount, bool isNeverNegative)
    {
        if (!_symbols.TryGetValue(computation, out var symbol))
        {
            var kind = dependsOnRowCount ? SymbolicLength.OpaqueRowsKind : isNeverNegative ? SymbolicLength.LengthKind : SymbolicLength.NumberKind;
            _symbols[computation] = symbol = Name(kind);
        }

        return SymbolicLength.OfSymbol(symbol);
    }

    /// <summary>Returns the symbol of a function of numbers.</summary>
    public SymbolicLength Function(string name, params SymbolicLength[] arguments) =>
        Computed($"{name}({string.Join<SymbolicLength>(',', arguments)})", arguments.Any(argument => argument.DependsOnRowCount), isNeverNegative: false);

    public SymbolicLength Multiply(SymbolicLength left, SymbolicLength right) =>
        SymbolicLength.Multiply(left, right) ?? Binary(left, '*', right, left.IsNeverNegative && right.IsNeverNegative);

    public SymbolicLength Product(IEnumerable<SymbolicLength> factors) => factors.Aggregate(SymbolicLength.One, Multiply);

    public SymbolicLength Add(SymbolicLength left, SymbolicLength right)
    {
        if (left.Is(0))
            return right;
        if (right.Is(0))
            return left;
        if (left.Symbols.SequenceEqual(right.Symbols) && (Int128)left.Constant + right.Constant is var sum && sum >= long.MinValue && sum <= long.MaxValue
            && SymbolicLength.Divide(left, SymbolicLength.Of(left.Constant)) is { } symbols && SymbolicLength.Multiply(SymbolicLength.Of((long)sum), symbols) is { } total)
            return total;
        return string.CompareOrdinal(left.ToString(), right.ToString()) < 0
            ? Binary(left, '+', right, left.IsNeverNegative && right.IsNeverNegative)
            : Binary(right, '+', left, left.IsNeverNegative && right.IsNeverNegative);
    }

    public SymbolicLength Subtract(SymbolicLength left, SymbolicLength right) =>
        SymbolicLength.Multiply(right, SymbolicLength.Of(-1)) is { } negative ? Add(left, negative) : Binary(left, '-', right, isNeverNegative: false);

    /// <summary>Divides as integer tensors do, towards zero.</summary>
    public SymbolicLength Divide(SymbolicLength dividend, SymbolicLength divisor) =>
        dividend.IsConstant && divisor.IsConstant && divisor.Constant is not (0 or -1) ? SymbolicLength.Of(dividend.Constant / divisor.Constant)
        : SymbolicLength.Divide(dividend, divisor) ?? Binary(dividend, '/', divisor, dividend.IsNeverNegative && divisor.IsNeverNegative);

    /// <summary>Returns the number as a length: itself, or a symbol that stands for the length that results from it.</summary>
    public SymbolicLength AsLength(SymbolicLength number) =>
        number.IsNeverNegative || number.DependsOnRowCount ? number : Computed($"length({number})", dependsOnRowCount: false, isNeverNegative: true);

    private SymbolicLength Binary(SymbolicLength left, char operation, SymbolicLength right, bool isNeverNegative) =>
        Computed($"({left}{operation}{right})", left.DependsOnRowCount || right.DependsOnRowCount, isNeverNegative);

    private SymbolicLength NewSymbol(char kind) => SymbolicLength.OfSymbol(Name(kind));

    private string Name(char kind) => string.Create(CultureInfo.InvariantCulture, $"{kind}{++_count}");
}
