using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>Takes one item out of a tuple; in a worker it is a task of the cluster's own process.</summary>
internal static class TupleItemReader<TTuple, TItem>
    where TTuple : struct, ITuple
{
    public static TItem Get(TTuple tuple, int index) => (TItem)tuple[index]!;
}
