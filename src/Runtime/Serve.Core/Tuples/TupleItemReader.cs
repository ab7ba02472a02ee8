using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>Reads one item of a tuple; submitted by workers as a task of the driver.</summary>
internal static class TupleItemReader<TTuple, TItem>
    where TTuple : struct, ITuple
{
    public static TItem Get(TTuple tuple, int index) => (TItem)tuple[index]!;
}
